-- Reads what each event (ref, key) of a batch would meet: {id, fingerprint, deliveries} or {} for one that is new.
local found = {}
for index = 1, tonumber(arg()) do
  local ref, key = arg(), arg()
  local event = call('HMGET', P .. 'e:' .. ref, 'id', 'fp')
  if not event[1] and key ~= '' then
    local by_key = call('GET', P .. 'k:' .. key)
    if by_key then event = call('HMGET', P .. 'e:' .. by_key, 'id', 'fp') end
  end
  found[index] = event[1] and event or {}
end
return found
