-- Makes commits durable, each judged on its own: 1 committed, 2 repeated (its step is the head already), 0 fenced (another
-- owner, head or log; nothing of it is kept). Everything is judged before the first write, since a script is not rolled back.
-- Keys: meta, inbox, journal, open, closed, closings, letters, burials. Arguments: the channel; for each partition epoch,
-- token, head, the step's number, id, facts and text, the inbox position where the lease left it and where the commit moves it,
-- when its sessions closed, the numbers of snapshots, tombstones and letters (and how many are kept, if there are); then id and text
-- of each snapshot, all ids and all texts of tombstones, and of each letter id, position, time, reason, source and bytes.
local COMMITTED, REPEATED, FENCED = 1, 2, 0
local channel = arg()

local function read()
  local c = { epoch = arg(), token = arg(), head = arg(), number = arg(), id = arg(), facts = arg(), step = arg(),
    left = arg(), inbox = arg(), closedAt = arg(), snapshots = tonumber(arg()), tombstones = tonumber(arg()), letters = tonumber(arg()) }
  if c.letters > 0 then c.lettersMax = tonumber(arg()) end
  c.first = cursor + 1
  cursor = cursor + 2 * (c.snapshots + c.tombstones) + 6 * c.letters
  return c
end

local function judge(p, c)
  local kept = redis.call('HMGET', key(p, 1), 'identity', 'epoch', 'token', 'number', 'head', 'consumed')
  if kept[1] ~= identity or kept[2] ~= c.epoch or kept[3] ~= c.token then return FENCED end
  if c.id ~= '' and kept[5] == c.id then return REPEATED end
  if kept[5] ~= c.head then return FENCED end
  if c.id ~= '' and tonumber(c.number) <= tonumber(kept[4]) then return FENCED end
  -- The inbox is not where the lease left it (nor where a repeat of this commit did): the log went back.
  if kept[6] ~= c.left and kept[6] ~= c.inbox then return FENCED end
  c.headNumber = kept[4]
  c.moves = c.inbox ~= '' and isLater(c.inbox, kept[6])
  -- Its messages are not there: the log lost its tail since they were taken, and may give their positions to others.
  if c.moves and #redis.call('XRANGE', key(p, 2), c.inbox, c.inbox) == 0 then return FENCED end
  return COMMITTED
end

local function close(p, c, first)
  local middle = first + c.tombstones
  local mark = (c.id ~= '' and c.number or c.headNumber) .. ' ' .. c.closedAt .. ' '
  inPieces('HDEL', key(p, 4), first, middle - 1)
  for from = first, middle - 1, 1000 do
    local pairs, closings = {}, {}
    for at = from, math.min(from + 999, middle - 1) do
      pairs[#pairs + 1] = ARGV[at]
      pairs[#pairs + 1] = ARGV[at + c.tombstones]
      closings[#closings + 1] = mark .. ARGV[at]
    end
    redis.call('HSET', key(p, 5), unpack(pairs))
    redis.call('RPUSH', key(p, 6), unpack(closings))
  end
end

-- What a repeated commit buries again is known by its position.
local function bury(p, first)
  local letters, burials = key(p, 7), key(p, 8)
  local id, position, at, reason, source, bytes = unpack(ARGV, first, first + 5)
  local text = redis.call('HGET', letters, id)
  local letter = text and cjson.decode(text) or { source = source, sizeBytes = #bytes, attempts = 0, firstSeenAt = at,
    replays = 0, lastAction = cjson.null, position = '0-0' }
  if text and not isLater(position, letter.position) then return end
  if text then redis.call('ZREM', burials, place(id, letter)) else redis.call('HSET', letters, id .. ':bytes', bytes) end
  letter.attempts, letter.position, letter.lastSeenAt = letter.attempts + 1, position, at
  letter.reason, letter.state = reason, 'waiting'
  redis.call('HSET', letters, id, cjson.encode(letter))
  redis.call('ZADD', burials, 0, place(id, letter))
end

-- Settled letters make room before those that wait, and the oldest first.
local function makeRoom(p, max)
  local letters, burials = key(p, 7), key(p, 8)
  for _ = max + 1, redis.call('ZCARD', burials) do
    local oldest
    for _, state in ipairs({ 'discarded', 'replayed' }) do
      local found = redis.call('ZRANGEBYLEX', burials, '[' .. state .. '|', '(' .. state .. '}', 'LIMIT', 0, 1)[1]
      if found and (not oldest or string.match(found, '|.*') < string.match(oldest, '|.*')) then oldest = found end
    end
    oldest = oldest or redis.call('ZRANGEBYLEX', burials, '-', '+', 'LIMIT', 0, 1)[1]
    local id = string.match(oldest, '[^|]+$')
    redis.call('ZREM', burials, oldest)
    redis.call('HDEL', letters, id, id .. ':bytes')
    redis.call('HINCRBY', key(p, 1), 'lettersDropped', 1)
  end
end

local function apply(p, c)
  if c.id ~= '' then
    redis.call('XADD', key(p, 3), c.number .. '-0', 'step', c.step, 'facts', c.facts)
    redis.call('HSET', key(p, 1), 'number', c.number, 'head', c.id)
  end
  inPieces('HSET', key(p, 4), c.first, c.first + 2 * c.snapshots - 1)
  close(p, c, c.first + 2 * c.snapshots)
  local burials = c.first + 2 * (c.snapshots + c.tombstones)
  for nth = 1, c.letters do bury(p, burials + 6 * (nth - 1)) end
  if c.letters > 0 then makeRoom(p, c.lettersMax) end
  if c.moves then
    redis.call('HSET', key(p, 1), 'consumed', c.inbox)
    local ms, seq = parts(c.inbox)
    redis.call('XTRIM', key(p, 2), 'MINID', whole(ms) .. '-' .. whole(seq + 1))
  end
end

local commits, verdicts, grew = {}, {}, false
for p = 1, count do
  commits[p] = read()
  verdicts[p] = judge(p, commits[p])
end
for p = 1, count do
  if verdicts[p] == COMMITTED then
    apply(p, commits[p])
    grew = grew or commits[p].id ~= ''
  end
end
if grew then redis.call('PUBLISH', channel, 'journal') end
return verdicts
