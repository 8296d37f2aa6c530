/*
** Times: what is read is within the bounds, and written it is read again.
*/
#include "../../src/core/date.h"

#include "fuzz.h"

static void round_trip(int64_t ms) {
  char iso[AR_DATE_ISO_SIZE], basic[AR_DATE_SIZE];
  int64_t read, second = ms / 1000 - (ms % 1000 < 0);
  HOLDS(ms >= AR_MIN_EPOCH * 1000 && ms <= AR_MAX_EPOCH * 1000 + 999);
  ar_date_iso(ms, iso);
  HOLDS(ar_date_parse(ar_str_of(iso), &read) && read == ms);
  ar_date_basic(second, basic);
  HOLDS(ar_date_parse(ar_str_of(basic), &read) && read == second * 1000);
}

/* The bytes themselves as a number of milliseconds. */
static void any_time(const uint8_t *data, size_t size) {
  uint64_t bits = 0;
  const uint64_t range = (AR_MAX_EPOCH - AR_MIN_EPOCH + 1) * 1000;
  for (size_t i = 0; i < size && i < 8; i++) bits = bits << 8 | data[i];
  round_trip((int64_t)(bits % range) + AR_MIN_EPOCH * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str text = fuzz_copy(data, size);
  int64_t ms;
  if (ar_date_parse(text, &ms)) round_trip(ms);
  any_time(data, size);
  fuzz_free(text);
  return 0;
}
