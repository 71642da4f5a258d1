-- These endpoints' texts, in order; '' for one that does not exist or is deleted.
local found = {}
for index = 2, #ARGV do found[index - 1] = call('HGET', P .. 'p:' .. ARGV[index], 'j') or '' end
return found
