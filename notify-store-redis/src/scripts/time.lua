-- The server's clock: {seconds, microseconds}.
return call('TIME')
