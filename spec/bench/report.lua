-- Statistics over samples that were taken in turns, and texts: a ratio, and rows in columns.
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

-- A ratio as a text: "0.91", "12", "1/57".
function report.ratio(value)
  if value > 0 and value <= 0.2 then
    local inverse = 1 / value
    return (((inverse < 20 and "1/%.1f" or "1/%.0f"):format(inverse)):gsub("%.0$", ""))
  end
  return (value < 9.95 and "%.2f" or "%.0f"):format(value)
end

-- Median and quartiles of a summary: "0.91 (0.90-0.92)".
function report.cell(summary)
  if not summary then return "" end
  local a, b = report.ratio(summary.low), report.ratio(summary.high)
  local middle = report.ratio(summary.median)
  if a == b then return middle end
  return ("%s (%s to %s)"):format(middle, a, b)
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
      out[i] = right and right[i] and blank .. text or text .. blank
    end
    print((table.concat(out, "  "):gsub("%s+$", "")))
  end
end

-- The same rows as a table of Markdown; the first are the heads.
function report.markdown(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[#lines + 1] = "| " .. table.concat(row, " | ") .. " |"
    if i == 1 then lines[2] = ("|---"):rep(#row) .. "|" end
  end
  return table.concat(lines, "\n")
end

return report
