-- These endpoints' texts, in order; '' for one that does not exist or is deleted.
local found = {}
for index = 1, #ARGV do found[index] = call('HGET', P .. 'p:' .. ARGV[index], 'j') or '' end
return found
