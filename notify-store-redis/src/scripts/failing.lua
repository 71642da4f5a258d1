-- Since when each of these endpoints fails, in order; '' for one that does not.
local found = {}
for index = 2, #ARGV do found[index - 1] = call('HGET', P .. 'failing', ARGV[index]) or '' end
return found
