-- The rows with these ids, as they are; those that do not exist are left out.
local found = {}
for index = 2, #ARGV do
  local row = call('HGETALL', P .. 'd:' .. ARGV[index])
  if #row > 0 then found[#found + 1] = { ARGV[index], row } end
end
return found
