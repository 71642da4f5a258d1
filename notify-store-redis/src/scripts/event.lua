-- One event, by its name or else by its idempotency key, and its deliveries in the order of their creation.
local ref, key = arg(), arg()
if key ~= '' then ref = call('GET', P .. 'k:' .. key) or '' end
local deliveries = {}
for d, id in ipairs(call('LRANGE', P .. 'ed:' .. ref, 0, -1)) do
  deliveries[d] = { id, call('HGETALL', P .. 'd:' .. id) }
end
return { ref, event_fields(ref), deliveries }
