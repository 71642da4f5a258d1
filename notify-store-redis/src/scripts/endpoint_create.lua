-- Stores a new endpoint; one that exists, deleted or not, is left alone.
local id, tenant, version, text = arg(), arg(), arg(), arg()
touch({ 'seq', 'p:' .. id, 'ps:' .. tenant })
if call('EXISTS', P .. 'p:' .. id) == 1 then return 0 end
local number = int(call('INCR', P .. 'seq'))
call('HSET', P .. 'p:' .. id, 'n', number, 't', tenant, 'v', version, 'j', text)
call('ZADD', P .. 'ps:' .. tenant, number, id)
wrote()
return 1
