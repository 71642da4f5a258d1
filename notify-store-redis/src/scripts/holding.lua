-- Some of the shard's tenants that have held rows, and where to go on: {cursor, names}.
if tonumber(call('HGET', P .. 'tally', '3') or '0') <= 0 then return { '0', {} } end
local found = call('SSCAN', P .. 'tenants', arg(), 'COUNT', 100)
local holding = {}
for _, tenant in ipairs(found[2]) do
  if tonumber(call('HGET', P .. 'tally:' .. tenant, '3') or '0') > 0 then holding[#holding + 1] = tenant end
end
return { found[1], holding }
