-- Forgets a batch that needs no more writing.
local id = arg()
touch({ 'b:' .. id, 'begun' })
call('ZREM', P .. 'begun', id)
call('UNLINK', P .. 'b:' .. id)
