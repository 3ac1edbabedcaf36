#include "analysis/heap/live_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace ebbtide {
namespace {

using Length = SizeRule::Length;

// The symbols by name. Between versions the end of a name changes ("…__Object" became
// "…__Tagged_Object_"), its beginning does not.
class Symbols {
 public:
  explicit Symbols(const HeapImage& image) : layout_(image.layout) {}

  [[nodiscard]] std::optional<std::int32_t> find(std::string_view prefix) const {
    const auto found = layout_.lower_bound(prefix);
    if (found == layout_.end() || !found->first.starts_with(prefix)) return std::nullopt;
    return found->second;
  }
  // Every type has a symbol "type_Class__CLASS_TYPE".
  [[nodiscard]] std::optional<std::int32_t> type(std::string_view name) const {
    return find(fmt::format("type_{}__", name));
  }
  [[nodiscard]] const auto& all() const { return layout_; }

  void require(std::string_view prefix) {
    if (!find(prefix)) missing_ += (missing_.empty() ? "" : ", ") + std::string(prefix);
  }
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  const std::map<std::string, std::int32_t, std::less<>>& layout_;
  std::string missing_;
};

constexpr std::array tagged_arrays = {"EmbedderDataArray",      "ClosureFeedbackCellArray",
                                      "WeakFixedArray",         "ProtectedFixedArray",
                                      "TrustedFixedArray",      "TrustedWeakFixedArray",
                                      "ProtectedWeakFixedArray"};
constexpr std::array code_types = {"SharedFunctionInfo", "Script"};
// As many as functions are hot, whoever calls them.
constexpr std::array compiled_types = {"Code",
                                       "InstructionStream",
                                       "BytecodeArray",
                                       "FeedbackVector",
                                       "FeedbackCell",
                                       "WeakFixedArray",
                                       "WeakArrayList",
                                       "AllocationSite",
                                       "ClosureFeedbackCellArray",
                                       "CodeWrapper",
                                       "BytecodeWrapper",
                                       "TrustedByteArray",
                                       "TrustedFixedArray",
                                       "TrustedWeakFixedArray",
                                       "ProtectedFixedArray",
                                       "ProtectedWeakFixedArray"};
constexpr std::array without_slots = {"ByteArray",   "TrustedByteArray", "FixedDoubleArray",
                                      "HeapNumber",  "FreeSpace",        "InstructionStream",
                                      "CoverageInfo"};

void name_types(const Symbols& symbols, LiveLayout& layout) {
  layout.types.resize(LiveLayout::type_limit);
  constexpr std::string_view prefix = "type_";
  for (auto entry = symbols.all().lower_bound(prefix);
       entry != symbols.all().end() && entry->first.starts_with(prefix); ++entry) {
    const auto end = entry->first.find("__", prefix.size());
    if (end == std::string::npos || entry->second < 0 ||
        entry->second >= LiveLayout::type_limit - 1) {
      continue;
    }
    layout.types[static_cast<std::size_t>(entry->second)].name =
        entry->first.substr(prefix.size(), end - prefix.size());
  }
}

void size_types(const Symbols& symbols, LiveLayout& layout) {
  const auto rule = [&](std::string_view name, SizeRule size) {
    if (const auto type = symbols.type(name)) {
      layout.types[static_cast<std::size_t>(*type) % LiveLayout::type_limit].size = size;
    }
  };
  for (const auto* name : tagged_arrays) rule(name, {Length::smi_at_8, 16, 8});
  rule("FixedDoubleArray", {Length::smi_at_8, 16, 8});
  rule("ByteArray", {Length::smi_at_8, 16, 1});
  rule("TrustedByteArray", {Length::smi_at_8, 16, 1});
  rule("BytecodeArray", {Length::smi_at_8, static_cast<std::uint8_t>(layout.fields_end), 1});
  rule("FreeSpace", {Length::smi_at_8, 0, 1});
  rule("ArrayList", {Length::smi_at_8, 24, 8});
  rule("PropertyArray", {Length::hash_at_8, 16, 8});
  rule("WeakArrayList", {Length::smi_at_8, 24, 8});
  const SizeRule descriptors{Length::uint16_at_8,
                             static_cast<std::uint8_t>(layout.descriptors_begin), 24};
  rule("DescriptorArray", descriptors);
  rule("StrongDescriptorArray", descriptors);

  // FixedArray's subclasses, the hash tables among them, follow it without names of their own.
  const auto first = std::max(0, symbols.type("FixedArray").value_or(0));
  const auto last = std::min<int>(symbols.type("ByteArray").value_or(0), LiveLayout::type_limit);
  for (int type = first; type < last; ++type) {
    layout.types[static_cast<std::size_t>(type)].size = {Length::smi_at_8, 16, 8};
    layout.types[static_cast<std::size_t>(type)].kind = NodeKind::array;
  }
  for (InstanceType type = layout.first_context; type <= layout.last_context; ++type) {
    layout.types[type].size = {Length::smi_at_8, 16, 8};
    layout.types[type].kind = NodeKind::object;
    layout.types[type].name = "Context";
  }
  // The contexts are in the order of their names: await, block, catch, debug evaluate, eval,
  // function, module, native, script, with.
  if (layout.last_context - layout.first_context == 9) {
    layout.types[layout.first_context + 7U].name = "NativeContext";
    layout.types[layout.first_context + 7U].slots = Slots::native_context;
  }
  constexpr InstanceType one_byte = 8;
  constexpr InstanceType representation = 7;
  for (InstanceType type = 0; type < layout.first_nonstring; ++type) {
    TypeLayout& string = layout.types[type];
    string.kind = NodeKind::string;
    string.size = {Length::int32_at_12, 16, static_cast<std::uint8_t>(type & one_byte ? 1 : 2)};
    const bool refers = (type & representation) == 1 || (type & representation) == 3 ||
                        (type & representation) == 5;  // cons, sliced, thin
    string.slots = refers ? Slots::all : Slots::none;
  }
  // Types without symbols, in the order of their names: FeedbackMetadata, FeedbackVector, Filler,
  // FreeSpace. The last of these newer versions counts in words.
  const auto vector = symbols.type("FeedbackVector");
  if (vector && *vector > 0 && *vector + 2 < LiveLayout::type_limit) {
    TypeLayout& before = layout.types[static_cast<std::size_t>(*vector - 1)];
    if (before.name.empty())
      before = {"FeedbackMetadata", NodeKind::compiled, {Length::feedback, 16, 4}, Slots::none};
    TypeLayout& free = layout.types[static_cast<std::size_t>(*vector + 2)];
    if (free.name.empty())
      free = {"FreeSpace", NodeKind::hidden, {Length::smi_at_8, 0, 8}, Slots::none};
  }
  // BigInt has no symbol; it stands between Symbol and HeapNumber.
  if (symbols.type("Symbol") == 128 && symbols.type("HeapNumber") == 130) {
    layout.types[129] = {"BigInt", NodeKind::number, {Length::bigint_at_8, 16, 8}, Slots::none};
  }
}

void describe_types(const Symbols& symbols, LiveLayout& layout) {
  const auto each = [&](std::string_view name, auto change) {
    if (const auto type = symbols.type(name)) {
      change(layout.types[static_cast<std::size_t>(*type) % LiveLayout::type_limit]);
    }
  };
  for (const auto* name : without_slots) {
    each(name, [](TypeLayout& type) { type.slots = Slots::none; });
  }
  for (const auto* name : code_types) {
    each(name, [](TypeLayout& type) { type.kind = NodeKind::code; });
  }
  for (const auto* name : compiled_types) {
    each(name, [](TypeLayout& type) { type.kind = NodeKind::compiled; });
  }
  for (const auto* name : {"PropertyArray", "ByteArray", "FixedDoubleArray"}) {
    each(name, [](TypeLayout& type) { type.kind = NodeKind::array; });
  }
  each("Symbol", [](TypeLayout& type) { type.kind = NodeKind::symbol; });
  each("HeapNumber", [](TypeLayout& type) { type.kind = NodeKind::number; });
  each("BytecodeArray", [](TypeLayout& type) { type.slots = Slots::fields; });
  each("JSWeakRef", [](TypeLayout& type) { type.slots = Slots::weak_reference; });
  each("WeakCell", [](TypeLayout& type) { type.slots = Slots::weak_cell; });
  each("AllocationSite", [](TypeLayout& type) { type.slots = Slots::allocation_site; });
  for (std::size_t type = layout.first_receiver; type < LiveLayout::type_limit; ++type) {
    layout.types[type].kind = NodeKind::object;
  }
}

void find_types(const Symbols& symbols, LiveLayout& layout) {
  const auto type = [&](std::string_view name) {
    return static_cast<InstanceType>(symbols.type(name).value_or(LiveLayout::type_limit));
  };
  layout.first_nonstring =
      static_cast<InstanceType>(symbols.find("FirstNonstringType").value_or(128) & 0xff);
  layout.first_context = static_cast<InstanceType>(*symbols.find("FirstContextType") & 0xfff);
  layout.last_context = static_cast<InstanceType>(*symbols.find("LastContextType") & 0xfff);
  layout.proxy = type("JSProxy");
  layout.first_receiver = layout.proxy;
  layout.map = type("Map");
  layout.function = type("JSFunction");
  layout.shared_info = type("SharedFunctionInfo");
  layout.scope_info = type("ScopeInfo");
  layout.script = type("Script");
  layout.symbol = type("Symbol");
  layout.js_map = type("JSMap");
  layout.js_set = type("JSSet");
  layout.js_weak_map = type("JSWeakMap");
  layout.js_weak_set = type("JSWeakSet");
  layout.js_array = type("JSArray");
  layout.array_buffer = type("JSArrayBuffer");
  layout.global_object = type("JSGlobalObject");
  layout.bound_function = type("JSBoundFunction");
  layout.property_array = type("PropertyArray");
  layout.property_cell = type("PropertyCell");
  layout.context_cell = type("ContextCell");
  layout.first_uncompiled = type("UncompiledDataWithPreparseData");
  layout.last_uncompiled =
      static_cast<InstanceType>(layout.first_uncompiled + 3);  // its kinds stand together
}

void find_offsets(const Symbols& symbols, LiveLayout& layout) {
  const auto set = [&](std::uint32_t& value, std::string_view prefix) {
    const auto found = symbols.find(prefix);
    if (found && *found >= 0) value = static_cast<std::uint32_t>(*found);
  };
  set(layout.map_at.prototype, "class_Map__prototype__");
  set(layout.map_at.constructor, "class_Map__constructor_or_back_pointer__");
  set(layout.map_at.descriptors, "class_Map__instance_descriptors__");
  set(layout.function_at.shared, "class_JSFunction__shared__");
  set(layout.function_at.context, "class_JSFunction__context__");
  set(layout.shared_info_at.name_or_scope, "class_SharedFunctionInfo__name_or_scope_info__");
  set(layout.shared_info_at.script, "class_SharedFunctionInfo__script");
  set(layout.script_at.source, "class_Script__source__");
  set(layout.script_at.name, "class_Script__name__");
  set(layout.buffer_at.length, "class_JSArrayBuffer__byte_length__");
  set(layout.buffer_at.store, "class_JSArrayBuffer__backing_store__");
  set(layout.symbol_name, "class_Symbol__name__");
  set(layout.uncompiled_start, "class_UncompiledData__start_position__");
  set(layout.descriptors_begin, "class_DescriptorArray__header_size__");
  set(layout.fields_end, "class_BytecodeArray__data__");
  set(layout.scope_info_first_name, "scopeinfo_idx_first_vars");
  set(layout.dictionary_map_shift, "bit_field3_is_dictionary_map_shift");
  set(layout.own_descriptors_shift, "bit_field3_number_of_own_descriptors_shift");
  set(layout.own_descriptors_mask, "bit_field3_number_of_own_descriptors_mask");
  set(layout.location_mask, "prop_location_mask");
  set(layout.location_shift, "prop_location_shift");
  set(layout.location_field, "prop_location_Field");
  set(layout.index_mask, "prop_index_mask");
  set(layout.index_shift, "prop_index_shift");
  set(layout.name_dictionary_prefix, "namedictionaryshape_prefix_size");
  for (auto* shift : {&layout.dictionary_map_shift, &layout.own_descriptors_shift,
                      &layout.location_shift, &layout.index_shift}) {
    *shift &= 31;
  }
}

}  // namespace

Result<LiveLayout> LiveLayout::from(const HeapImage& image) {
  Symbols symbols(image);
  for (const auto* prefix : {"type_Map__",
                             "type_JSFunction__",
                             "type_SharedFunctionInfo__",
                             "type_ScopeInfo__",
                             "type_Script__",
                             "type_JSMap__",
                             "type_JSSet__",
                             "type_JSArray__",
                             "type_JSProxy__",
                             "type_FixedArray__",
                             "type_ByteArray__",
                             "type_PropertyArray__",
                             "FirstContextType",
                             "LastContextType",
                             "class_JSFunction__shared__",
                             "class_JSFunction__context__",
                             "class_SharedFunctionInfo__name_or_scope_info__",
                             "class_SharedFunctionInfo__script",
                             "prop_index_mask",
                             "prop_index_shift"}) {
    symbols.require(prefix);
  }
  if (!symbols.missing().empty()) {
    return Error{"read the heap", "", "its layout is not understood: no v8dbg_" + symbols.missing(),
                 ""};
  }
  LiveLayout layout;
  name_types(symbols, layout);
  find_types(symbols, layout);
  find_offsets(symbols, layout);
  size_types(symbols, layout);
  describe_types(symbols, layout);
  return layout;
}

}  // namespace ebbtide
