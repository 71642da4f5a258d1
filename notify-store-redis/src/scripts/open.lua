-- Claims the shard for this layout and number of shards; answers what is stored: {layout, lowest code, shards}.
local layout, lowest, shards = arg(), arg(), arg()
if call('EXISTS', KEYS[1]) == 0 then call('HSET', KEYS[1], 'layout', layout, 'lowest', lowest, 'shards', shards) end
return call('HMGET', KEYS[1], 'layout', 'lowest', 'shards')
