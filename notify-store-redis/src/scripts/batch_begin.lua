-- Keeps what each shard is to get of a batch, by the shard's number, before anything of it is written.
local id, now = arg(), arg()
local key = P .. 'b:' .. id
touch({ 'b:' .. id, 'begun' })
for _ = 1, tonumber(arg()) do
  local shard, part = arg(), arg()
  call('HSET', key, shard, part)
end
call('ZADD', P .. 'begun', now, id)
-- Bodies that passed through count as used memory until Lua lets them go.
collectgarbage()
