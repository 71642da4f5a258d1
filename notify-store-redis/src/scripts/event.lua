-- One event and its deliveries in the order of their creation.
local ref = arg()
local deliveries = {}
for d, id in ipairs(call('LRANGE', P .. 'ed:' .. ref, 0, -1)) do
  deliveries[d] = { id, call('HGETALL', P .. 'd:' .. id) }
end
return { event_fields(ref), deliveries }
