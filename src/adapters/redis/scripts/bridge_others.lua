-- The bridges that are known. Key: bridges.
return redis.call('SMEMBERS', KEYS[1])
