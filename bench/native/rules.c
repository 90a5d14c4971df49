// What rules.h declares: nothing here is on a path that is measured, but for accesses that fault.
#include "rules.h"

void rules_init(rules *r, uint32_t levels, uint32_t max_phy_addr, uint32_t controls) {
  const uint32_t bits = 12 + 9 * levels;
  *r = (rules){.levels = levels, .shift = 64 - bits, .controls = controls, .address_mask = (1ull << bits) - 1};
  const uint64_t always = (((1ull << 52) - 1) & ~((1ull << max_phy_addr) - 1)) | (controls & NXE ? 0 : XD);
  for (uint32_t level = 1; level <= MOST_LEVELS; level++) {
    r->reserved[level] = always | (level >= 4 ? PS : 0);
    r->reserved_leaf[level] = always | (level == 1 ? 0 : ((1ull << shift_of(level)) - 1) & ~0x1fffull);
  }
  for (uint32_t access = 0; access < 8; access++) {
    const uint32_t type = access & 3;
    const bool user = access & USER, fetch = type == FETCH;
    check c = {0, 0};
    if (type == WRITE) c.mask |= D | (user || controls & WP ? RW : 0);
    c.wanted = c.mask;
    if (fetch && controls & NXE) c.mask |= XD;
    if (user) c.mask |= US, c.wanted |= US;
    else if (fetch ? controls & SMEP : (controls & SMAP) && !(controls & AC)) c.mask |= US;
    r->checks[access] = c;
  }
}

uint64_t attempted(const rules *r, uint32_t access) {
  const uint32_t type = access & 3;
  return (type == WRITE ? 2 : 0) | (access & USER) | (type == FETCH && r->controls & (NXE | SMEP) ? 16 : 0);
}

uint64_t refusal(const rules *r, uint32_t access, uint64_t leaf, uint32_t level) {
  const uint32_t controls = r->controls, type = access & 3;
  const bool user = access & USER, user_page = leaf & US;
  uint32_t reason = 0;
  if (user && !user_page) reason = SUPERVISOR_PAGE;
  else if (!user && user_page && type != FETCH && controls & SMAP && !(controls & AC)) reason = SMAP_REFUSED;
  else if (!user && user_page && type == FETCH && controls & SMEP) reason = SMEP_REFUSED;
  else if (type == WRITE && !(leaf & RW) && (user || controls & WP)) reason = WRITE_REFUSED;
  else reason = FETCH_REFUSED;
  return fault(reason, level, 1 | attempted(r, access));
}
