-- S2 to S5. Endpoints in turns, one row each a round; what was leased is listed under the token, so that the same
-- token gets the same rows again. Answers {rows, ghosts, next}. Bodies
-- are read by the caller: they would fill Lua's memory.
local token, now, lease_until = arg(), tonumber(arg()), arg()
local limit, default, mode = tonumber(arg()), tonumber(arg()), arg()
local listed, free = {}, {}
for index = 1, tonumber(arg()) do
  listed[index] = arg()
  free[listed[index]] = tonumber(arg())
end
local taken = {}
local width = limit + #listed + 64

local function left(endpoint)
  return (free[endpoint] or default) - (taken[endpoint] or 0)
end

local function head(endpoint)
  return tonumber(call('ZRANGE', P .. 'q:' .. endpoint, 0, 0, 'WITHSCORES')[2])
end

-- S5. Only endpoints that are full can be passed over, and they are fewer than `width`.
local function next_ready_at()
  local best = nil
  local function see(at)
    if at and (not best or at < best) then best = at end
  end
  if default == 0 then
    for _, endpoint in ipairs(listed) do
      if left(endpoint) > 0 then see(head(endpoint)) end
    end
  else
    for _, endpoint in ipairs(call('ZRANGE', P .. 'rr', 0, width - 1)) do
      if left(endpoint) > 0 then see(head(endpoint)) end
    end
    local waiting = call('ZRANGE', P .. 'wait', 0, width - 1, 'WITHSCORES')
    for index = 1, #waiting, 2 do
      if left(waiting[index]) > 0 then
        see(tonumber(waiting[index + 1]))
        break
      end
    end
  end
  if not best then return '' end
  return int(math.max(best, now))
end

local function answer(rows, ghosts)
  local shown = {}
  for index, row in ipairs(rows) do
    shown[index] = { row.id, row.endpoint, call('HGETALL', P .. 'd:' .. row.id) }
  end
  return { shown, ghosts, next_ready_at() }
end

touch_shard()
touch({ 'c:' .. token })
-- Claims whose leases have ended, by the driver's clock, are forgotten.
local ended = call('ZRANGEBYSCORE', P .. 'claims', '-inf', int(now), 'LIMIT', 0, 100)
for _, claim in ipairs(ended) do touch({ 'c:' .. claim }) end
local known = tonumber(call('ZSCORE', P .. 'claims', token) or '')
local before = {}
if known and known > now then before = call('LRANGE', P .. 'c:' .. token, 0, -1) end
if mode == 'replay' or (mode == 'lease' and #before > 0) then
  local rows = {}
  for _, id in ipairs(before) do
    local held = call('HMGET', P .. 'd:' .. id, 'tok', 'x')
    if held[1] == token and not held[2] then
      local row = row_of(id)
      rows[#rows + 1] = row
      taken[row.endpoint] = (taken[row.endpoint] or 0) + 1
    end
  end
  return answer(rows, {})
end
if mode == 'more' then
  for _, id in ipairs(before) do
    local endpoint = call('HGET', P .. 'd:' .. id, 'p')
    if endpoint then taken[endpoint] = (taken[endpoint] or 0) + 1 end
  end
end

-- Who may be served, in the order of their turns; `wait` joins behind.
local order, from_wait, idle = {}, {}, {}
local function consider(endpoint, waits)
  if left(endpoint) <= 0 then return end
  local at = head(endpoint)
  if at and at <= now then
    order[#order + 1] = endpoint
    from_wait[endpoint] = waits
  elseif not waits then
    idle[#idle + 1] = endpoint
  end
end
if default == 0 then
  local turns = {}
  for _, endpoint in ipairs(listed) do
    local turn = call('ZSCORE', P .. 'rr', endpoint)
    local due = not turn and call('ZSCORE', P .. 'wait', endpoint)
    if turn or due then turns[#turns + 1] = { turn and 0 or 1, tonumber(turn or due), endpoint } end
  end
  table.sort(turns, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[3] < b[3]
  end)
  for _, turn in ipairs(turns) do consider(turn[3], turn[1] == 1) end
else
  for _, endpoint in ipairs(call('ZRANGE', P .. 'rr', 0, width - 1)) do consider(endpoint, false) end
  local due = call('ZRANGEBYSCORE', P .. 'wait', '-inf', int(now), 'LIMIT', 0, width)
  for _, endpoint in ipairs(due) do consider(endpoint, true) end
end

local rows, ghosts, offset, served = {}, {}, {}, {}
local active = order
while #rows < limit and #active > 0 do
  local again = {}
  for _, endpoint in ipairs(active) do
    if #rows >= limit then break end
    local skip = offset[endpoint] or 0
    local id = call('ZRANGEBYSCORE', P .. 'q:' .. endpoint, '-inf', int(now), 'LIMIT', skip, 1)[1]
    if id then
      offset[endpoint] = skip + 1
      local row = row_of(id)
      if row and CLAIMABLE[row.state] and row.tenant and row.event and row.number then
        row.endpoint = endpoint
        touch_row(id, row.tenant, row.event, endpoint)
        rows[#rows + 1] = row
        taken[endpoint] = (taken[endpoint] or 0) + 1
        served[endpoint] = true
        if left(endpoint) > 0 then again[#again + 1] = endpoint end
      elseif #ghosts < 100 then
        ghosts[#ghosts + 1] = { id, endpoint }
        again[#again + 1] = endpoint
      end
    end
  end
  active = again
end

if known and known <= now then call('DEL', P .. 'c:' .. token) end
for _, claim in ipairs(ended) do
  if claim ~= token then call('DEL', P .. 'c:' .. claim) end
  call('ZREM', P .. 'claims', claim)
end
for _, row in ipairs(rows) do
  local key = P .. 'd:' .. row.id
  call('RPUSH', P .. 'c:' .. token, row.id)
  call('HSET', key, 's', '1', 'at', lease_until, 'tok', token)
  call('HINCRBY', key, 'v', 1)
  if row.state == '1' then call('HINCRBY', key, 'll', 1) end
  move(row, '1', lease_until)
end
local gone = {}
for index, ghost in ipairs(ghosts) do
  call('ZREM', P .. 'q:' .. ghost[2], ghost[1])
  gone[index] = ghost[1]
end
for _, endpoint in ipairs(order) do
  local at = head(endpoint)
  if at and at <= now then
    if served[endpoint] or from_wait[endpoint] then
      call('ZADD', P .. 'rr', int(call('INCR', P .. 'turn')), endpoint)
      call('ZREM', P .. 'wait', endpoint)
    end
  else
    idle[#idle + 1] = endpoint
  end
end
for _, endpoint in ipairs(idle) do
  call('ZREM', P .. 'rr', endpoint)
  place(endpoint)
end
if #rows > 0 then
  call('ZADD', P .. 'claims', lease_until, token)
  wrote()
end
return answer(rows, gone)
