-- How often somebody wrote here.
return call('GET', P .. 'w') or '0'
