-- The recorded answers of botocore that the C unit programs compare with are what the installed botocore answers.

local programs = require "spec.support.programs"

describe("spec/core/retry_vectors.h", function()
  it("is what the oracle of the retry policy prints", function()
    local recorded = programs.read "spec/core/retry_vectors.h"
    local printed = programs.output_of(programs.python .. " spec/support/retry_oracle.py")
    assert.is_true(#printed > 10000, "the oracle printed only: " .. printed)
    assert.is_true(printed == recorded, "python3 spec/support/retry_oracle.py > spec/core/retry_vectors.h changes it")
  end)
end)
