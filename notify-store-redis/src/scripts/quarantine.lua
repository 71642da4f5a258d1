-- S13. Takes rows (id, endpoint) that could not be read out of their queues.
local many = tonumber(arg())
touch({ 'rr', 'wait' })
local rows = {}
for index = 1, many do
  rows[index] = { arg(), arg() }
  touch({ 'd:' .. rows[index][1], 'q:' .. rows[index][2] })
end
for _, row in ipairs(rows) do
  call('HSET', P .. 'd:' .. row[1], 'x', 1)
  call('ZREM', P .. 'q:' .. row[2], row[1])
  place(row[2])
end
return many
