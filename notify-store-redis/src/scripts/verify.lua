-- Compares up to `many` rows of a tenant, below a number, with the indexes. Answers {lowest number seen or '',
-- faults, counts by state}.
local tenant, below, many = arg(), arg(), tonumber(arg())
local names = call('ZREVRANGEBYSCORE', P .. 'lt:' .. tenant, below, '-inf', 'WITHSCORES', 'LIMIT', 0, many)
local faults, counts, last = {}, {}, ''
local function check(id, holds, what)
  if not holds then faults[#faults + 1] = id .. ' ' .. what end
end
for at = 1, #names, 2 do
  local id = names[at]
  last = names[at + 1]
  local row = row_of(id)
  local more = call('HMGET', P .. 'd:' .. id, 'at', 'x')
  if not row then
    check(id, false, 'is listed but has no row')
  elseif not more[2] then
    local s, due = row.state, tonumber(more[1] or '')
    counts[#counts + 1] = s
    local function score(set) return tonumber(call('ZSCORE', P .. set, id) or '') end
    check(id, score('q:' .. row.endpoint) == (CLAIMABLE[s] and due or nil), 'and its queue differ')
    check(id, score('h:' .. row.endpoint) == (s == '3' and due or nil), 'and the held rows differ')
    check(id, score('due') == (s == '0' and due or nil), 'and the due times differ')
    check(id, score('due:' .. tenant) == (s == '0' and due or nil), 'and its tenant\'s due times differ')
    for _, state in ipairs({ '3', '4', '5' }) do
      local listed = score('in:' .. state .. ':' .. tenant) ~= nil
      check(id, listed == (s == state), 'and the list of state ' .. state .. ' differ')
    end
    if CLAIMABLE[s] then
      local placed = call('ZSCORE', P .. 'rr', row.endpoint) or call('ZSCORE', P .. 'wait', row.endpoint)
      check(id, placed, 'has an endpoint that no claim would find')
    end
    local open = tonumber(call('HGET', P .. 'e:' .. row.event, 'o') or '-1')
    check(id, not OPEN[s] or open > 0, 'is open and its event counts none')
  end
end
return { last, faults, counts }
