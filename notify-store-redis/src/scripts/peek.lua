-- What a claim under this token would meet here: whether it was here before, and whether anything is due.
local token, now = arg(), arg()
local due = call('ZCARD', P .. 'rr') > 0 or #call('ZRANGEBYSCORE', P .. 'wait', '-inf', now, 'LIMIT', 0, 1) > 0
return { call('EXISTS', P .. 'c:' .. token), due and 1 or 0 }
