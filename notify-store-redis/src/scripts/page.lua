-- Up to `many` rows of an index below a number, newest first: {number, id, row, deliveries}. The kind says what the index names:
-- 'd' deliveries, 'e' events with their deliveries, 'de' events by one of their deliveries, 'p' endpoints.
local index, kind, below, many = arg(), arg(), arg(), tonumber(arg())
local names = call('ZREVRANGEBYSCORE', P .. index, below, '-inf', 'WITHSCORES', 'LIMIT', 0, many)
local page, deliveries = {}, 0
for at = 1, #names, 2 do
  local name = names[at]
  local entry = { names[at + 1], name }
  if kind == 'd' or kind == 'p' then
    entry[3] = call('HGETALL', P .. kind .. ':' .. name)
    entry[4] = {}
  else
    if kind == 'de' then name = call('HGET', P .. 'd:' .. name, 'e') or '' end
    entry[2] = name
    entry[3] = event_fields(name)
    entry[4] = {}
    for d, id in ipairs(call('LRANGE', P .. 'ed:' .. name, 0, -1)) do
      entry[4][d] = { id, call('HGETALL', P .. 'd:' .. id) }
    end
  end
  page[#page + 1] = entry
  -- A page of wide events goes in several calls, so that none runs long.
  deliveries = deliveries + #entry[4]
  if deliveries >= 1000 then break end
end
return page
