-- S6 to S8. Answers one text for each change: 'A' applied, 'M' missing, or the version that the row has.
touch_shard()
local changes = {}
for index = 1, tonumber(arg()) do
  local change = { id = arg(), delivery = arg(), expected = arg(), token = arg(), tenant = arg(), event = arg(),
    endpoint = arg(), state = arg(), at = arg(), settled = arg(), reason = arg(), columns = {}, attempts = {} }
  for _, name in ipairs({ 'v', 'r', 'a', 'f', 'll', 'lg' }) do
    change.columns[#change.columns + 1] = name
    change.columns[#change.columns + 1] = arg()
  end
  for a = 1, tonumber(arg()) do change.attempts[a] = { arg(), arg() } end
  change.counted = read_counted(change.tenant)
  touch_row(change.delivery, change.tenant, change.event, change.endpoint)
  changes[index] = change
end

local function optional(key, name, value)
  if value == '' then call('HDEL', key, name) else call('HSET', key, name, value) end
end

local written = false
local function apply(change)
  local key, log = P .. 'd:' .. change.delivery, P .. 'a:' .. change.delivery
  local found = call('HMGET', key, 'v', 'tok', 'lc', 'ty')
  if not found[1] then return 'M' end
  if found[3] == change.id then return 'A' end
  if found[1] ~= change.expected or (found[2] or '') ~= change.token then
    if call('HEXISTS', log, change.id) == 1 then return 'A' end
    return found[1]
  end
  local row = row_of(change.delivery)
  for _, attempt in ipairs(change.attempts) do call('HSET', log, attempt[1], attempt[2]) end
  if #change.attempts > 0 then call('HSET', log, change.id, 1) end
  call('HSET', key, 's', change.state, 'lc', change.id, unpack(change.columns))
  optional(key, 'at', change.at)
  optional(key, 'z', change.settled)
  optional(key, 'rs', change.reason)
  call('HDEL', key, 'tok')
  move(row, change.state, change.at, change.settled)
  gather(change.tenant, change.endpoint, found[4] or '', change.counted)
  written = true
  return 'A'
end

local outcomes = {}
for index, change in ipairs(changes) do outcomes[index] = apply(change) end
if written then
  write_counts()
  wrote()
end
return outcomes
