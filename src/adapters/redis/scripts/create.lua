-- Creates the log unless it is there, and answers what it is. Key: the log's own record. Argument: the number of partitions.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'identity', identity, 'partitions', arg())
end
return redis.call('HMGET', KEYS[1], 'identity', 'partitions')
