#include "sanitizers/verdict/calls.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>

namespace racelab::verdict {
namespace {

using std::byte;

class elf_file {
 public:
  explicit elf_file(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    elf_version(EV_CURRENT);
    if (fd_ >= 0) elf_.reset(elf_begin(fd_, ELF_C_READ_MMAP, nullptr));
    GElf_Ehdr header;
    if (elf_ && (gelf_getehdr(elf_.get(), &header) == nullptr || header.e_machine != EM_X86_64)) elf_.reset();
  }
  ~elf_file() {
    elf_.reset();
    if (fd_ >= 0) close(fd_);
  }
  elf_file(const elf_file&) = delete;
  elf_file& operator=(const elf_file&) = delete;

  // What the file has for so many addresses.
  template <std::size_t Size> [[nodiscard]] std::optional<std::array<byte, Size>> at(std::uintptr_t address) {
    std::size_t segments = 0;
    std::size_t length = 0;
    const char* const raw = elf_ ? elf_rawfile(elf_.get(), &length) : nullptr;
    if (raw == nullptr || elf_getphdrnum(elf_.get(), &segments) != 0) return std::nullopt;
    for (std::size_t i = 0; i < segments; ++i) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) == nullptr || segment.p_type != PT_LOAD)
        continue;
      if (address < segment.p_vaddr || address - segment.p_vaddr + Size > segment.p_filesz) continue;
      const std::uintptr_t offset = address - segment.p_vaddr + segment.p_offset;
      if (offset > length || Size > length - offset) continue;
      std::array<byte, Size> bytes{};
      std::memcpy(bytes.data(), raw + offset, Size);
      return bytes;
    }
    return std::nullopt;
  }

  // The symbol whose address the loader writes there.
  [[nodiscard]] std::string symbol_of_slot(std::uintptr_t slot) {
    if (!elf_) return {};
    for (Elf_Scn* section = elf_nextscn(elf_.get(), nullptr); section != nullptr;
         section = elf_nextscn(elf_.get(), section)) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_RELA || header.sh_entsize == 0)
        continue;
      Elf_Data* const data = elf_getdata(section, nullptr);
      GElf_Rela relocation;
      for (int i = 0; data != nullptr && gelf_getrela(data, i, &relocation) != nullptr; ++i)
        if (relocation.r_offset == slot) return symbol(header.sh_link, GELF_R_SYM(relocation.r_info));
    }
    return {};
  }

 private:
  struct end {
    void operator()(Elf* elf) const noexcept { elf_end(elf); }
  };

  [[nodiscard]] std::string symbol(std::size_t table, std::size_t index) {
    Elf_Scn* const section = elf_getscn(elf_.get(), table);
    GElf_Shdr header;
    GElf_Sym found;
    if (section == nullptr || gelf_getshdr(section, &header) == nullptr ||
        gelf_getsym(elf_getdata(section, nullptr), static_cast<int>(index), &found) == nullptr)
      return {};
    const char* const name = elf_strptr(elf_.get(), header.sh_link, found.st_name);
    return name == nullptr ? "" : name;
  }

  int fd_;
  std::unique_ptr<Elf, end> elf_;
};

// An operand that is relative to the next instruction.
template <std::size_t Size>
std::uintptr_t target(const std::array<byte, Size>& code, std::size_t operand, std::uintptr_t next) {
  std::int32_t distance = 0;
  std::memcpy(&distance, code.data() + operand, sizeof distance);
  return next + static_cast<std::uintptr_t>(static_cast<std::intptr_t>(distance));
}

// The slot that a stub of the procedure linkage table jumps through: [endbr64] [bnd] jmp *slot(%rip).
std::optional<std::uintptr_t> slot_of_stub(elf_file& file, std::uintptr_t stub) {
  constexpr std::array endbr64{byte{0xf3}, byte{0x0f}, byte{0x1e}, byte{0xfa}};
  if (file.at<4>(stub) == endbr64) stub += 4;
  if (const auto prefix = file.at<1>(stub); prefix && (*prefix)[0] == byte{0xf2}) stub += 1;
  const auto jump = file.at<6>(stub);
  if (!jump || (*jump)[0] != byte{0xff} || (*jump)[1] != byte{0x25}) return std::nullopt;
  return target(*jump, 2, stub + 6);
}

// Of a call that ends there.
std::string function_called(elf_file& elf, std::uintptr_t return_address) {
  const auto direct = elf.at<5>(return_address - 5);
  if (direct && (*direct)[0] == byte{0xe8})
    if (const auto slot = slot_of_stub(elf, target(*direct, 1, return_address)))
      return elf.symbol_of_slot(*slot);
  const auto indirect = elf.at<6>(return_address - 6);
  if (indirect && (*indirect)[0] == byte{0xff} && (*indirect)[1] == byte{0x15})
    return elf.symbol_of_slot(target(*indirect, 2, return_address));
  return {};
}

}  // namespace

std::string function_called(const std::string& file, std::uintptr_t return_address) {
  elf_file elf(file);
  return function_called(elf, return_address);
}

}  // namespace racelab::verdict
