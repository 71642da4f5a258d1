-- How many rows are in each state, and the earliest due time.
local suffix = arg()
return { call('HGETALL', P .. 'tally' .. suffix), call('ZRANGE', P .. 'due' .. suffix, 0, 0, 'WITHSCORES')[2] or '' }
