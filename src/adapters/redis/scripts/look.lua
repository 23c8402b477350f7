-- How far each partition has come: the journal's last number, and the last message's id. Keys: meta, inbox.
local function lastId(inbox)
  if redis.call('EXISTS', inbox) == 0 then return '' end
  local info = redis.call('XINFO', 'STREAM', inbox)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then return info[at + 1] end
  end
  return ''
end

local answers = {}
for p = 1, count do answers[p] = { redis.call('HGET', key(p, 1), 'number') or '', lastId(key(p, 2)) } end
return answers
