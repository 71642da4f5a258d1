-- Compare-and-set of an endpoint, or its end (`text` empty). Answers 'written', 'stale' or 'missing'; a repeated call
-- is known by its nonce.
local id, tenant, expected, version, text, nonce = arg(), arg(), arg(), arg(), arg(), arg()
touch({ 'p:' .. id, 'ps:' .. tenant })
local found = call('HMGET', P .. 'p:' .. id, 't', 'v', 'x', 'u')
if found[4] == nonce then return 'written' end
if found[1] ~= tenant or found[3] then return 'missing' end
if text == '' then
  call('HSET', P .. 'p:' .. id, 'x', 1, 'u', nonce)
  call('HDEL', P .. 'p:' .. id, 'j')
  call('ZREM', P .. 'ps:' .. tenant, id)
else
  if found[2] ~= expected then return 'stale' end
  call('HSET', P .. 'p:' .. id, 'v', version, 'j', text, 'u', nonce)
end
wrote()
return 'written'
