-- The attempts of a delivery by number, and the ids of the changes that wrote them.
return call('HGETALL', P .. 'a:' .. arg())
