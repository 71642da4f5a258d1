-- S14. Moves one endpoint's open rows that are not in flight; answers how many.
local endpoint, action, now, limit = arg(), arg(), arg(), tonumber(arg())
touch_shard()
local rows = {}
-- Only rows in flight are passed over: no more than the engines have slots.
local function gather(set)
  local start = 0
  while #rows < limit do
    local ids = call('ZRANGE', P .. set .. endpoint, start, start + 99)
    if #ids == 0 then return end
    for _, id in ipairs(ids) do
      if #rows == limit then return end
      local row = row_of(id)
      if row and row.state ~= '1' and row.tenant and row.event then
        touch_row(id, row.tenant, row.event, endpoint)
        rows[#rows + 1] = row
      end
    end
    start = start + 100
  end
end
if action ~= 'release' then gather('q:') end
if action ~= 'hold' then gather('h:') end
for _, row in ipairs(rows) do
  local key = P .. 'd:' .. row.id
  local at = call('HGET', key, 'at')
  call('HINCRBY', key, 'v', 1)
  if action == 'cancel' then
    call('HSET', key, 's', '5', 'z', now)
    call('HDEL', key, 'at')
    move(row, '5', '', now)
  else
    local state = action == 'hold' and '3' or '0'
    call('HSET', key, 's', state)
    move(row, state, at)
  end
end
if #rows > 0 then wrote() end
return #rows
