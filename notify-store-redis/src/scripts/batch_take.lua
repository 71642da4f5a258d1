-- Gives a batch that was begun by a time and has not ended, or ''. It counts as begun anew, so that others leave it to
-- the caller for a while. Its parts are read by the caller: they would fill Lua's memory.
local by, now = arg(), arg()
touch({ 'begun' })
local id = call('ZRANGEBYSCORE', P .. 'begun', '-inf', by, 'LIMIT', 0, 1)[1]
if not id then return '' end
call('ZADD', P .. 'begun', now, id)
return id
