-- Removes events that ended before a time, up to `limit`; stops after `most` deliveries, so that no call runs long.
-- Answers {events removed, 1 if it stopped early}.
local before, limit, most = arg(), tonumber(arg()), tonumber(arg())
touch_shard()
local refs = call('ZRANGEBYSCORE', P .. 'end', '-inf', '(' .. before, 'LIMIT', 0, limit)
local plan, total = {}, 0
for _, ref in ipairs(refs) do
  if total >= most then break end
  local event = call('HMGET', P .. 'e:' .. ref, 't', 'k')
  local ids = call('LRANGE', P .. 'ed:' .. ref, -(most - total), -1)
  local whole = #ids == call('LLEN', P .. 'ed:' .. ref)
  local rows = {}
  for _, id in ipairs(ids) do
    local row = row_of(id)
    if row and row.tenant and row.endpoint then
      touch_row(id, row.tenant, ref, row.endpoint)
      rows[#rows + 1] = row
    end
  end
  if event[1] then touch({ 'lv:' .. event[1] }) end
  if event[2] then touch({ 'k:' .. event[2] }) end
  plan[#plan + 1] = { ref = ref, tenant = event[1], key = event[2], rows = rows, many = #ids, whole = whole }
  total = total + #ids + 1
end
local removed, early = 0, 0
for _, event in ipairs(plan) do
  for _, row in ipairs(event.rows) do
    count(row, row.state, -1)
    call('ZREM', P .. 'lt:' .. row.tenant, row.id)
    call('ZREM', P .. 'le:' .. row.endpoint, row.id)
    if LISTED[row.state] then call('ZREM', P .. 'in:' .. row.state .. ':' .. row.tenant, row.id) end
    call('UNLINK', P .. 'd:' .. row.id, P .. 'a:' .. row.id)
  end
  if event.whole then
    if event.key then call('DEL', P .. 'k:' .. event.key) end
    if event.tenant then call('ZREM', P .. 'lv:' .. event.tenant, event.ref) end
    call('UNLINK', P .. 'e:' .. event.ref, P .. 'ed:' .. event.ref)
    call('ZREM', P .. 'end', event.ref)
    removed = removed + 1
  else
    call('LTRIM', P .. 'ed:' .. event.ref, 0, -(event.many + 1))
    early = 1
  end
end
if #plan < #refs then early = 1 end
if #plan > 0 then wrote() end
-- Bodies that passed through an insert count as used memory until Lua lets them go.
collectgarbage()
return { removed, early }
