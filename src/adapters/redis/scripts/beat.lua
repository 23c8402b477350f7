-- Extends what a member holds and frees what else stands under its name: 1 held by it, 2 free, 0 held by others, -1 not this
-- log. A lease ends also where the log stands behind what it acknowledged to its owner: it lost its tail. Keys: meta.
-- Arguments: the member, the time to live; for each partition the token ('' where the member holds none), step and position.
local HELD, FREE, OTHERS, GONE = 1, 2, 0, -1
local member, ttl, now, answers = arg(), tonumber(arg()), nowMs(), {}

local function extend(meta, kept, token, step, inbox)
  if token == '' or kept[3] ~= token then return false end
  if tonumber(step) > tonumber(kept[5]) or isLater(inbox, kept[6]) then return false end
  redis.call('HSET', meta, 'expires', whole(now + ttl))
  return true
end

for p = 1, count do
  local meta = key(p, 1)
  local token, step, inbox = arg(), arg(), arg()
  local kept = redis.call('HMGET', meta, 'identity', 'owner', 'token', 'expires', 'number', 'consumed')
  if kept[1] ~= identity then
    answers[p] = GONE
  elseif kept[2] == member then
    answers[p] = HELD
    if not extend(meta, kept, token, step, inbox) then
      -- No token, so that no commit passes while nobody owns it.
      redis.call('HSET', meta, 'owner', '', 'token', '')
      answers[p] = FREE
    end
  else
    answers[p] = (kept[2] == '' or tonumber(kept[4]) <= now) and FREE or OTHERS
  end
end
return answers
