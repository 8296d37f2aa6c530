-- Statistics over samples that were taken in turns, and the table.
local report = {}

-- The value below which `part` of a sorted list lies.
local function quantile(sorted, part)
  local at = 1 + part * (#sorted - 1)
  local low = math.floor(at)
  local high = math.min(low + 1, #sorted)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
end

-- Median, lower and upper quartile.
function report.summary(list)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  return { median = quantile(sorted, 0.5), low = quantile(sorted, 0.25), high = quantile(sorted, 0.75) }
end

-- Prints rows of texts in columns; `right` marks those that end flush.
function report.print(rows, right)
  local width = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do width[i] = math.max(width[i] or 0, #text) end
  end
  for _, row in ipairs(rows) do
    local out = {}
    for i, text in ipairs(row) do
      local blank = (" "):rep(width[i] - #text)
      out[i] = right[i] and blank .. text or text .. blank
    end
    print((table.concat(out, "  "):gsub("%s+$", "")))
  end
end

return report
