-- What a claim under this token would meet here: whether it was here before, whether anything is due, and whether a
-- batch that was begun by a time has not ended.
local token, now, by = arg(), arg(), arg()
local due = call('ZCARD', P .. 'rr') > 0 or #call('ZRANGEBYSCORE', P .. 'wait', '-inf', now, 'LIMIT', 0, 1) > 0
local begun = #call('ZRANGEBYSCORE', P .. 'begun', '-inf', by, 'LIMIT', 0, 1) > 0
local known = tonumber(call('ZSCORE', P .. 'claims', token) or '')
return { known and known > tonumber(now) and 1 or 0, due and 1 or 0, begun and 1 or 0 }
