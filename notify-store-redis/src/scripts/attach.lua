-- S14. Adds deliveries to a stored event; answers how many are new, or -1 if there is no such event.
local ref, tenant = arg(), arg()
touch_shard()
local news = {}
for d = 1, tonumber(arg()) do news[d] = read_new(tenant, ref) end
local event = call('HMGET', P .. 'e:' .. ref, 'ty', 'c', 'pu')
if not event[1] then return -1 end
local added = 0
for _, new in ipairs(news) do added = added + add(ref, tenant, event[1], event[2], event[3], new) end
if added > 0 then wrote() end
return added
