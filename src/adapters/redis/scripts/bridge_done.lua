-- Removes tasks that were published from a holding list. Key: holding. Arguments: their bytes.
local removed = 0
for n = 1, #ARGV do removed = removed + redis.call('LREM', KEYS[1], -1, ARGV[n]) end
return removed
