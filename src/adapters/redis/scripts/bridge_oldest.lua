-- The oldest task of each list, as far as it has one. Keys: the lists.
local oldest = {}
for n = 1, #KEYS do
  local task = redis.call('LINDEX', KEYS[n], -1)
  if task then oldest[#oldest + 1] = task end
end
return oldest
