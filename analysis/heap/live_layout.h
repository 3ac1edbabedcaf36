// Answers: what do the objects of this build of V8 look like? Everything that differs between
// versions is decided here, from the v8dbg integers of the image; nothing else asks for a version.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/heap/graph.h"
#include "recording/heap_image.h"
#include "recording/result.h"

namespace ebbtide {

using InstanceType = std::uint16_t;

// How long an object is whose map does not say: base + scale × a length that it holds itself.
struct SizeRule {
  enum class Length : std::uint8_t {
    unknown,      // it ends where the next object begins
    smi_at_8,     // most arrays
    hash_at_8,    // the low 10 bits of that Smi: above are those of a hash
    int32_at_8,   // feedback
    feedback,     // what kinds of feedback there are: six of the slots at 8 to four bytes
    int32_at_12,  // strings
    uint16_at_8,  // descriptors
    bigint_at_8,  // above a sign bit
  };
  Length length = Length::unknown;
  std::uint8_t base = 0;
  std::uint8_t scale = 0;
};

// Which words of an object are strong references.
enum class Slots : std::uint8_t {
  none,             // text, numbers, code
  all,              // whatever is tagged as one
  fields,           // those before `fields_end`, bytes after them
  ephemerons,       // a WeakMap's table: a value is kept by its key
  weak_reference,   // JSWeakRef: not the target
  weak_cell,        // FinalizationRegistry's: neither target nor token
  native_context,   // not the last one, the collector's list of contexts
  allocation_site,  // not the next one: the same
};

struct TypeLayout {
  std::string name;  // "FixedArray"; "" when no symbol names it
  NodeKind kind = NodeKind::hidden;
  SizeRule size;  // when the map says 0
  Slots slots = Slots::all;
};

struct LiveLayout {
  // Errors: symbols that every known version has are missing.
  static Result<LiveLayout> from(const HeapImage& image);

  static constexpr InstanceType type_limit = 4096;
  [[nodiscard]] const TypeLayout& type(InstanceType type) const {
    return types[type < type_limit ? type : type_limit - 1];
  }
  [[nodiscard]] bool is_string(InstanceType type) const { return type < first_nonstring; }
  [[nodiscard]] bool is_receiver(InstanceType type) const { return type >= first_receiver; }
  [[nodiscard]] bool is_context(InstanceType type) const {
    return type >= first_context && type <= last_context;
  }

  std::vector<TypeLayout> types;

  // Instance types; type_limit when this version has none.
  InstanceType first_nonstring = 128;
  InstanceType first_receiver = type_limit;
  InstanceType first_context = 0, last_context = 0;
  InstanceType map = 0, function = 0, shared_info = 0, scope_info = 0, script = 0, symbol = 0;
  InstanceType js_map = 0, js_set = 0, js_weak_map = 0, js_weak_set = 0, js_array = 0;
  InstanceType array_buffer = 0, global_object = 0, proxy = 0;
  InstanceType bound_function = 0;
  InstanceType property_array = 0, property_cell = type_limit, context_cell = type_limit;
  InstanceType first_uncompiled = 0, last_uncompiled = 0;

  // Offsets in bytes from the start of the object.
  struct {
    std::uint32_t prototype = 24, constructor = 32, descriptors = 40;
  } map_at;
  struct {
    std::uint32_t shared = 24, context = 32;
  } function_at;
  struct {
    std::uint32_t function_data = 8, name_or_scope = 16, script = 32;
  } shared_info_at;
  struct {
    std::uint32_t source = 8, name = 16, line_offset = 24, column_offset = 32;
  } script_at;
  struct {
    std::uint32_t length = 32, store = 48;
  } buffer_at;
  std::uint32_t symbol_name = 16;
  std::uint32_t uncompiled_start = 16;
  std::uint32_t descriptors_begin = 24;
  std::uint32_t fields_end = 56;  // Slots::fields
  std::uint32_t collection_table = 24;
  std::uint32_t cell_value = 24;         // PropertyCell
  std::uint32_t context_cell_value = 8;  // ContextCell
  std::uint32_t scope_info_first_name =
      3;  // slot; when it is 5, the function's position is in 3, 4

  // Bit fields.
  std::uint32_t dictionary_map_shift = 21;
  std::uint32_t own_descriptors_shift = 10, own_descriptors_mask = 0x3ff << 10;
  std::uint32_t location_mask = 32, location_field = 0, location_shift = 5;
  std::uint32_t index_mask = 0, index_shift = 0;

  // Hash tables: prefix (counts and capacity included) and entry size in words.
  std::uint32_t name_dictionary_prefix = 3;
};

}  // namespace ebbtide
