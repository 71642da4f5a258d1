-- Some of the shard's tenants, and where to go on: {cursor, names}.
return call('SSCAN', P .. 'tenants', arg(), 'COUNT', 100)
