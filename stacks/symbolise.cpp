#include "stacks/symbolise.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>
#include <system_error>
#include <utility>

#include "stacks/debug_file.hpp"
#include "stacks/names.hpp"

namespace racelab::stacks {
namespace {

// A piece of code and the DIE (debug information entry) that describes it, in addresses of the module's file.
struct code_range {
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  Dwarf_Die die{};
};

void append_ranges(std::vector<code_range>& ranges, Dwarf_Die& die) {
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  std::ptrdiff_t position = 0;
  while ((position = dwarf_ranges(&die, position, &base, &low, &high)) > 0) {
    if (low < high) ranges.push_back({low, high, die});
  }
}

void sort_ranges(std::vector<code_range>& ranges) { std::ranges::sort(ranges, {}, &code_range::low); }

const code_range* find_range(const std::vector<code_range>& ranges, Dwarf_Addr address) {
  auto after = std::ranges::upper_bound(ranges, address, {}, &code_range::low);
  if (after == ranges.begin()) return nullptr;
  --after;
  return address < after->high ? &*after : nullptr;
}

// Appends the functions with code below `parent`: in a unit, its namespaces and, as gcc places local classes'
// members, in types and functions.
void append_functions(std::vector<code_range>& functions, Dwarf_Die& parent) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_subprogram:
        append_ranges(functions, child);
        [[fallthrough]];
      case DW_TAG_namespace:
      case DW_TAG_structure_type:
      case DW_TAG_class_type:
      case DW_TAG_union_type:
      case DW_TAG_lexical_block:
        append_functions(functions, child);
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

// The calls inlined at `address` below `parent`, outermost first.
void append_inlined(std::vector<Dwarf_Die>& chain, Dwarf_Die& parent, Dwarf_Addr address) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_inlined_subroutine:
      case DW_TAG_lexical_block:
      case DW_TAG_try_block:
      case DW_TAG_catch_block:
        if (dwarf_haspc(&child, address) > 0) {
          if (dwarf_tag(&child) == DW_TAG_inlined_subroutine) chain.push_back(child);
          append_inlined(chain, child, address);
          return;
        }
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

// Empty if `name` is not a mangled one that this demangler knows.
std::string demangle(const char* name) {
  if (!std::string_view(name).starts_with("_Z")) return {};
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return text ? text.get() : "";
}

bool has_parameters(Dwarf_Die& function) {
  Dwarf_Die child;
  if (dwarf_child(&function, &child) != 0) return false;
  do {
    // `this` is an artificial parameter.
    if (dwarf_tag(&child) == DW_TAG_formal_parameter && dwarf_hasattr(&child, DW_AT_artificial) == 0)
      return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

std::string function_name(Dwarf_Die& die);

// Empty if `scope` is no part of a qualified name.
std::string scope_name(Dwarf_Die& scope) {
  const char* const name = dwarf_diename(&scope);
  switch (dwarf_tag(&scope)) {
    case DW_TAG_namespace:
      return name != nullptr ? name : "(anonymous namespace)";
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type: {
      // A lambda's class: clang gives it no name, gcc writes <lambda(int)>, the demangler {lambda(int)#1}.
      if (name == nullptr) return "{lambda}";
      const std::string_view text(name);
      if (!text.starts_with("<lambda")) return name;
      return "{" + std::string(text.substr(1, text.size() - 2)) + "}";
    }
    case DW_TAG_subprogram:
      return function_name(scope);
    default:
      return {};
  }
}

// The name as declared, in its namespaces and classes; C functions without parameters. Slow: libdw searches
// the unit for the DIE's parents.
std::string scoped_name(Dwarf_Die& die, bool mangled) {
  const char* const own = dwarf_diename(&die);
  if (own == nullptr) return {};
  // A definition refers to the declaration, which stands in its scope.
  Dwarf_Die declared = die;
  Dwarf_Attribute attribute;
  for (const unsigned reference : {DW_AT_abstract_origin, DW_AT_specification}) {
    Dwarf_Die target;
    if (dwarf_attr(&declared, reference, &attribute) != nullptr &&
        dwarf_formref_die(&attribute, &target) != nullptr) {
      declared = target;
    }
  }
  std::string name = own;
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(&declared, &scopes);
  const std::unique_ptr<Dwarf_Die, decltype(&std::free)> owner(scopes, &std::free);
  for (int i = 1; i < count; ++i) {
    const std::string scope = scope_name(scopes[i]);
    if (!scope.empty()) name.insert(0, scope + "::");
    mangled = mangled || !scope.empty();
    if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram) break;  // that was a full name
  }
  if (!mangled) return name;
  return name + (has_parameters(declared) ? "(…)" : "()");
}

// Demangled from the linkage name, if it can be: names of new compilers (of a function with a requires
// clause, say) are unknown to the demangler of an older libstdc++; gcc gives none to templates on a lambda; C
// functions have none or, in glibc, an inner alias.
std::string function_name(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  const char* linkage_name = nullptr;
  for (const unsigned kind : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    // Follows abstract origins and specifications.
    if (dwarf_attr_integrate(&die, kind, &attribute) != nullptr) linkage_name = dwarf_formstring(&attribute);
  }
  const bool mangled = linkage_name != nullptr && std::string_view(linkage_name).starts_with("_Z");
  const std::string name = mangled ? demangle(linkage_name) : std::string();
  return name.empty() ? scoped_name(die, mangled) : name;
}

int unsigned_attribute(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(&die, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) return 0;
  return static_cast<int>(value);
}

struct source_line {
  std::string file;
  int line = 0;
};

// libdw joins a relative path with the compilation's directory. Where the file is there, that is right. Where
// it isn't, the path was made relative to something else on purpose (-ffile-prefix-map), and is left so.
std::string as_compiled(const char* path, const std::string& directory) {
  if (path == nullptr) return {};
  const std::string_view whole(path);
  if (directory.empty() || !whole.starts_with(directory) || access(path, F_OK) == 0) {
    // clang finds the standard library by way of gcc's folder:
    // /usr/lib/gcc/x86_64-linux-gnu/12/../../../../include.
    return std::filesystem::path(path).lexically_normal();
  }
  std::string_view relative = whole.substr(directory.size());
  while (relative.starts_with('/')) relative.remove_prefix(1);
  return std::string(relative);
}

// One compilation unit.
struct unit {
  Dwarf_Die die{};
  std::string directory;
  std::vector<code_range> functions;

  explicit unit(const Dwarf_Die& of) : die(of) {
    Dwarf_Attribute attribute;
    if (dwarf_attr(&die, DW_AT_comp_dir, &attribute) != nullptr) {
      if (const char* text = dwarf_formstring(&attribute)) directory = text;
    }
    append_functions(functions, die);
    sort_ranges(functions);
  }

  source_line line_of(Dwarf_Addr address) {
    Dwarf_Line* const found = dwarf_getsrc_die(&die, address);
    if (found == nullptr) return {};
    source_line result;
    result.file = as_compiled(dwarf_linesrc(found, nullptr, nullptr), directory);
    dwarf_lineno(found, &result.line);
    return result;
  }

  source_line call_of(Dwarf_Die& inlined) {
    source_line result;
    result.line = unsigned_attribute(inlined, DW_AT_call_line);
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    const int index = unsigned_attribute(inlined, DW_AT_call_file);
    if (dwarf_getsrcfiles(&die, &files, &count) == 0 && std::cmp_less(index, count)) {
      result.file =
          as_compiled(dwarf_filesrc(files, static_cast<std::size_t>(index), nullptr, nullptr), directory);
    }
    return result;
  }
};

// The units of a module with debug information. .debug_aranges would be the index for this, but clang writes
// none.
struct unit_index {
  std::vector<code_range> ranges;
  Dwarf_Addr bias = 0;
  std::map<Dwarf_Off, unit> units;  // by offset, made at first use

  explicit unit_index(Dwfl_Module* module) {
    Dwarf_Die* die = nullptr;
    while ((die = dwfl_module_nextcu(module, die, &bias)) != nullptr) append_ranges(ranges, *die);
    sort_ranges(ranges);
  }

  unit* find(Dwarf_Addr address) {
    const code_range* const found = find_range(ranges, address);
    if (found == nullptr) return nullptr;
    Dwarf_Die die = found->die;
    return &units.try_emplace(dwarf_dieoffset(&die), die).first->second;
  }
};

const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = find_debug_file,
    .section_address = nullptr,
    .debuginfo_path = nullptr,
};

}  // namespace

struct symboliser::modules {
  std::unique_ptr<Dwfl, decltype(&dwfl_end)> dwfl{dwfl_begin(&callbacks), &dwfl_end};
  std::map<Dwfl_Module*, unit_index> indexes;
  // Threads have most of their frames in common. By address and whether it is exact.
  std::map<std::pair<std::uintptr_t, bool>, std::vector<frame>> known;

  void append_frames(std::vector<frame>& frames, std::uintptr_t pc, bool exact) {
    const Dwarf_Addr address = exact ? pc : pc - 1;
    frame bare;
    bare.pc = pc;
    Dwfl_Module* const module = dwfl_addrmodule(dwfl.get(), address);
    if (module == nullptr) {
      frames.push_back(bare);
      return;
    }
    Dwarf_Addr start = 0;
    const char* path = nullptr;
    const char* const fallback =
        dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, &path, nullptr);
    if (path == nullptr) path = fallback;
    if (path != nullptr) bare.module = path;
    bare.offset = pc - start;

    GElf_Off symbol_offset = 0;
    GElf_Sym symbol;
    bool symbol_demangled = false;
    const char* const symbol_name =
        dwfl_module_addrinfo(module, address, &symbol_offset, &symbol, nullptr, nullptr, nullptr);
    if (symbol_name != nullptr) {
      bare.function = demangle(symbol_name);
      symbol_demangled = !bare.function.empty();
      if (!symbol_demangled) bare.function = symbol_name;
      if (const auto version = bare.function.find('@'); version != std::string::npos)
        bare.function.resize(version);
      bare.offset = symbol_offset + (pc - address);
    }

    if (is_system_library(bare.module)) {
      // Its debug information, where it is installed, is compressed and large, and tells the user little.
      frames.push_back(bare);
      return;
    }
    unit_index& index = indexes.try_emplace(module, module).first->second;
    const Dwarf_Addr in_file = address - index.bias;
    unit* const where = index.find(in_file);
    const code_range* const function = where == nullptr ? nullptr : find_range(where->functions, in_file);
    if (function == nullptr) {
      if (where != nullptr) {
        source_line line = where->line_of(in_file);
        bare.file = std::move(line.file);
        bare.line = line.line;
      }
      frames.push_back(bare);
      return;
    }

    Dwarf_Die outermost = function->die;
    std::vector<Dwarf_Die> inlined;
    append_inlined(inlined, outermost, in_file);
    source_line line = where->line_of(in_file);
    for (; !inlined.empty(); inlined.pop_back()) {
      frame& added = frames.emplace_back(bare);
      added.function = function_name(inlined.back());
      added.file = std::move(line.file);
      added.line = line.line;
      added.inlined = true;
      line = where->call_of(inlined.back());
    }
    frame& added = frames.emplace_back(bare);
    if (!symbol_demangled) {
      if (std::string name = function_name(outermost); !name.empty()) added.function = std::move(name);
    }
    if (symbol_name == nullptr) added.offset = pc - (function->low + index.bias);
    added.file = std::move(line.file);
    added.line = line.line;
  }
};

symboliser::symboliser(pid_t process) : modules_(std::make_unique<modules>()) {
  const int error = modules_->dwfl ? dwfl_linux_proc_report(modules_->dwfl.get(), process) : ENOMEM;
  if (error != 0 || dwfl_report_end(modules_->dwfl.get(), nullptr, nullptr) != 0) {
    throw std::system_error(error > 0 ? error : EIO, std::generic_category(),
                            "cannot read the modules of process " + std::to_string(process));
  }
}

symboliser::symboliser(std::span<const loaded_module> loaded) : modules_(std::make_unique<modules>()) {
  if (!modules_->dwfl) throw std::bad_alloc();
  dwfl_report_begin(modules_->dwfl.get());
  for (const loaded_module& each : loaded)
    dwfl_report_elf(modules_->dwfl.get(), each.path.c_str(), each.path.c_str(), -1, each.base, true);
  if (dwfl_report_end(modules_->dwfl.get(), nullptr, nullptr) != 0) throw std::bad_alloc();
}

symboliser::~symboliser() = default;
symboliser::symboliser(symboliser&&) noexcept = default;
symboliser& symboliser::operator=(symboliser&&) noexcept = default;

std::vector<frame> symboliser::resolve(std::span<const std::uintptr_t> pcs, bool exact_top) const {
  std::vector<frame> frames;
  for (std::size_t i = 0; i < pcs.size(); ++i) {
    const bool exact = exact_top && i == 0;
    const auto [at, is_new] = modules_->known.try_emplace({pcs[i], exact});
    if (is_new) modules_->append_frames(at->second, pcs[i], exact);
    frames.insert(frames.end(), at->second.begin(), at->second.end());
  }
  return frames;
}

}  // namespace racelab::stacks
