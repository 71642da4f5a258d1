-- S1. Everything is judged before anything is written. Answers {'stored', {kind, first, deliveries}...} or
-- {'conflict', index, existing}. The nonce tells a repeated call from a second publish of the same event.
local now, nonce, many = arg(), arg(), tonumber(arg())
local batch, answers, by_ref, by_key = {}, {}, {}, {}
touch_shard()
for index = 1, many do
  local event = { ref = arg(), id = arg(), tenant = arg(), key = arg(), print = arg(), kind = arg(), at = arg(),
    body = arg(), new = {} }
  touch({ 'e:' .. event.ref, 'ed:' .. event.ref, 'lv:' .. event.tenant })
  for d = 1, tonumber(arg()) do event.new[d] = read_new(event.tenant, event.ref) end
  batch[index] = event
end
-- At the end come the places of the tests, which parts that an older process noted do not have.
local test = arg()
while test do
  batch[tonumber(test)].test = true
  test = arg()
end

local function stored(ref)
  local found = call('HMGET', P .. 'e:' .. ref, 'id', 'fp', 'm', 'u')
  if not found[1] then return nil end
  return { id = found[1], print = found[2], deliveries = tonumber(found[3] or 0), nonce = found[4] }
end

for index, event in ipairs(batch) do
  -- The id decides before the key, as if the events came one after the other.
  local existing = by_ref[event.ref] or stored(event.ref)
  if not existing and event.key ~= '' then
    existing = by_key[event.key]
    if not existing then
      local ref = call('GET', P .. 'k:' .. event.key)
      if ref then existing = stored(ref) end
    end
  end
  if not existing then
    local distinct, pairs = 0, {}
    for _, new in ipairs(event.new) do
      if not pairs[new.id] then distinct = distinct + 1 end
      pairs[new.id] = true
    end
    local first = { id = event.id, print = event.print, deliveries = distinct }
    by_ref[event.ref] = first
    if event.key ~= '' then by_key[event.key] = first end
    answers[index] = { 'new', '', '0' }
    event.write = true
  elseif existing.print ~= event.print then
    return { 'conflict', int(index - 1), existing.id }
  elseif existing.nonce == nonce and existing.id == event.id and not by_ref[event.ref] then
    by_ref[event.ref] = { id = existing.id, print = existing.print, deliveries = existing.deliveries }
    if event.key ~= '' then by_key[event.key] = by_ref[event.ref] end
    answers[index] = { 'new', '', '0' }
  else
    answers[index] = { 'duplicate', existing.id, int(existing.deliveries) }
  end
end

for _, event in ipairs(batch) do
  if event.write then
    local key = P .. 'e:' .. event.ref
    local number = int(call('INCR', P .. 'seq'))
    call('HSET', key, 'id', event.id, 'n', number, 't', event.tenant, 'fp', event.print, 'ty', event.kind,
      'ts', event.at, 'b', event.body, 'c', now, 'z', now, 'm', 0, 'o', 0, 'u', nonce)
    if event.key ~= '' then
      call('HSET', key, 'k', event.key)
      call('SET', P .. 'k:' .. event.key, event.ref)
    end
    if event.test then call('HSET', key, 'pu', 1) end
    call('ZADD', P .. 'lv:' .. event.tenant, number, event.ref)
    call('SADD', P .. 'tenants', event.tenant)
    for _, new in ipairs(event.new) do add(event.ref, event.tenant, event.kind, now, event.test, new) end
    if #event.new == 0 then call('ZADD', P .. 'end', now, event.ref) end
  end
end
wrote()
return { 'stored', answers }
