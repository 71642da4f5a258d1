-- Shared by all scripts. A script works on one shard: all its keys carry the hash tag of KEYS[1], the shard's `meta`.
-- On a cluster every key that a script may write is read before the first write: while a slot moves, a key that is
-- elsewhere stops the script, and it must not stop half done. What joins a set is added before it leaves another.
-- States: 0 scheduled, 1 in flight, 2 delivered, 3 held, 4 failed, 5 cancelled.
local P = string.sub(KEYS[1], 1, -5)
local call = redis.call
-- While the slot moves part of it is on another node, and there a key that has not come yet looks as if it did not
-- exist. A command over two keys of which one is missing is refused on both nodes (TRYAGAIN): nothing is judged by half.
call('EXISTS', KEYS[1], P .. 'none')
local OPEN = { ['0'] = true, ['1'] = true, ['3'] = true }
local CLAIMABLE = { ['0'] = true, ['1'] = true }
local LISTED = { ['3'] = true, ['4'] = true, ['5'] = true }

local position = 0
local function arg()
  position = position + 1
  return ARGV[position]
end

-- Only on a cluster can a key be elsewhere.
local ON_CLUSTER = arg() == 'cluster'

-- Lua would print a big number as 1.7e+14.
local function int(number)
  return string.format('%.0f', number)
end

-- The read pass over the keys that `move` writes. One key a call: a long list would not fit Lua's stack.
local function touch(names)
  if not ON_CLUSTER then return end
  for _, name in ipairs(names) do call('EXISTS', P .. name) end
end

local function touch_row(id, tenant, event, endpoint)
  if not ON_CLUSTER then return end
  touch({ 'd:' .. id, 'a:' .. id, 'e:' .. event, 'ed:' .. event, 'q:' .. endpoint, 'h:' .. endpoint,
    'le:' .. endpoint, 'lt:' .. tenant, 'due:' .. tenant, 'tally:' .. tenant, 'in:3:' .. tenant, 'in:4:' .. tenant,
    'in:5:' .. tenant })
end

local function touch_shard()
  touch({ 'seq', 'turn', 'rr', 'wait', 'due', 'end', 'tally', 'tenants' })
end

-- An endpoint with claimable rows is in `rr` (in turns) or in `wait` (by the time of its first row).
local function place(endpoint)
  local head = call('ZRANGE', P .. 'q:' .. endpoint, 0, 0, 'WITHSCORES')
  if #head == 0 then
    call('ZREM', P .. 'wait', endpoint)
    call('ZREM', P .. 'rr', endpoint)
  elseif not call('ZSCORE', P .. 'rr', endpoint) then
    call('ZADD', P .. 'wait', head[2], endpoint)
  end
end

local function count(row, state, by)
  call('HINCRBY', P .. 'tally', state, by)
  call('HINCRBY', P .. 'tally:' .. row.tenant, state, by)
end

-- Brings the indexes of a row from `row.state` (nil: it is new) to `state`. The row itself is written by the caller.
local function move(row, state, at, settled)
  local old = row.state
  local q, h = P .. 'q:' .. row.endpoint, P .. 'h:' .. row.endpoint
  if CLAIMABLE[state] then call('ZADD', q, at, row.id) end
  if state == '3' then call('ZADD', h, at, row.id) end
  if CLAIMABLE[old] and not CLAIMABLE[state] then call('ZREM', q, row.id) end
  if old == '3' and state ~= '3' then call('ZREM', h, row.id) end
  if state == '0' then
    call('ZADD', P .. 'due', at, row.id)
    call('ZADD', P .. 'due:' .. row.tenant, at, row.id)
  elseif old == '0' then
    call('ZREM', P .. 'due', row.id)
    call('ZREM', P .. 'due:' .. row.tenant, row.id)
  end
  if old ~= state then
    if LISTED[state] then call('ZADD', P .. 'in:' .. state .. ':' .. row.tenant, row.number, row.id) end
    if LISTED[old] then call('ZREM', P .. 'in:' .. old .. ':' .. row.tenant, row.id) end
    count(row, state, 1)
    if old then count(row, old, -1) end
  end
  local event = P .. 'e:' .. row.event
  local open = 0
  if OPEN[state] and not (old and OPEN[old]) then open = call('HINCRBY', event, 'o', 1) end
  if OPEN[state] then
    if open > 0 then call('ZREM', P .. 'end', row.event) end
  else
    local last = call('HGET', event, 'z')
    if not last or tonumber(settled) > tonumber(last) then
      call('HSET', event, 'z', settled)
      last = settled
    end
    if old and OPEN[old] then open = call('HINCRBY', event, 'o', -1) else open = tonumber(call('HGET', event, 'o')) end
    if open == 0 then call('ZADD', P .. 'end', last, row.event) end
  end
  place(row.endpoint)
end

-- Reads what `move` needs of a row; nil if it is gone.
local function row_of(id)
  local found = call('HMGET', P .. 'd:' .. id, 's', 't', 'e', 'p', 'n')
  if not found[1] then return nil end
  return { id = id, state = found[1], tenant = found[2], event = found[3], endpoint = found[4], number = found[5] }
end

-- Adds a delivery, unless its pair of event and endpoint exists; says how many were added.
local function add(event, tenant, kind, created, test, new)
  local key = P .. 'd:' .. new.id
  if call('EXISTS', key) == 1 then return 0 end
  local number = int(call('INCR', P .. 'seq'))
  call('HSET', key, 'n', number, 'e', event, 't', tenant, 'p', new.endpoint, 'ty', kind, 'c', created,
    's', new.state, 'at', new.at, 'v', 1, 'r', 1, 'a', 0, 'f', 0, 'll', 0, 'lg', 0)
  if new.token ~= '' then call('HSET', key, 'tok', new.token) end
  if test then call('HSET', key, 'pu', 1) end
  call('RPUSH', P .. 'ed:' .. event, new.id)
  call('ZADD', P .. 'lt:' .. tenant, number, new.id)
  call('ZADD', P .. 'le:' .. new.endpoint, number, new.id)
  call('HINCRBY', P .. 'e:' .. event, 'm', 1)
  move({ id = new.id, tenant = tenant, event = event, endpoint = new.endpoint, number = number }, new.state, new.at)
  return 1
end

local function read_new(tenant, event)
  local new = { id = arg(), endpoint = arg(), state = arg(), at = arg(), token = arg() }
  touch_row(new.id, tenant, event, new.endpoint)
  return new
end

-- An event without its body, which the caller reads itself: it would fill Lua's memory.
local function event_fields(ref)
  local names, fields = { 'ty', 'ts', 'c', 'k', 'pu' }, {}
  for index, value in ipairs(call('HMGET', P .. 'e:' .. ref, unpack(names))) do
    if value then
      fields[#fields + 1] = names[index]
      fields[#fields + 1] = value
    end
  end
  return fields
end

-- Counts the write and wakes those that wait for one, on every node. The count is the truth and the message a hint: a
-- user who may not publish on the channel must not lose his write for it.
local function wrote()
  call('HINCRBY', KEYS[1], 'w', 1)
  redis.pcall('PUBLISH', string.match(P, '^{(.*):%d+}:$') .. ':changed', '')
end
