-- Some buckets of a tenant, oldest first: {start, counts}. A bucket's hash goes whole: it has a field for each endpoint,
-- type, effect, reason and class that one minute or hour saw.
local width, tenant, from, till, many = arg(), arg(), arg(), arg(), arg()
local found, fields = {}, 0
local starts = call('ZRANGEBYSCORE', P .. 'as:' .. width .. ':' .. tenant, from, '(' .. till, 'LIMIT', 0, many)
for index, start in ipairs(starts) do
  local counts = call('HGETALL', P .. 'ac:' .. width .. ':' .. start .. ':' .. tenant)
  found[index] = { start, counts }
  fields = fields + #counts
  if fields >= 4000 then break end
end
return found
