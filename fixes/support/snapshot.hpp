// A cell with an immutable value that is replaced as a whole: readers look at the current snapshot without a lock,
// writers build the next one and publish it. The heart of the snapshot remedies.
//
// Thread safety
//   Any thread may call any operation at any time. A reader belongs to the thread that made it; a handle may travel.
//
// Invariants
//   1. A snapshot does not change once it is published.
//   2. current_ is changed by seq_cst operations only, and never null.
//   3. A snapshot is retired by whoever took it out of current_, after that: once.
//   4. A snapshot has one reference for the cell, dropped when it is retired and nobody protects it, and one for each
//      handle. The last one out destroys it.
//   5. Each snapshot's version is one more than that of the snapshot it replaced.
//
// Reclamation: hazard pointers while a reader looks, reference counts for handles (docs/reclamation.md).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "fixes/support/hazard.hpp"

namespace racelab {

template <class Content, barrier_by Who = barrier_by::reclaimer> class snapshot_cell {
  struct node;

 public:
  /// A snapshot that is being built: private to its maker until it is published.
  class draft {
   public:
    [[nodiscard]] Content& operator*() noexcept { return node_->content; }
    [[nodiscard]] Content* operator->() noexcept { return &node_->content; }

   private:
    friend snapshot_cell;
    explicit draft(std::unique_ptr<node> made) noexcept : node_(std::move(made)) {}
    std::unique_ptr<node> node_;
  };

  /// The snapshot that was current when the reader was made; it stays for as long as the reader. Short-lived: it keeps
  /// a hazard pointer.
  class reader {
   public:
    [[nodiscard]] const Content& operator*() const noexcept { return node_->content; }
    [[nodiscard]] const Content* operator->() const noexcept { return &node_->content; }
    [[nodiscard]] std::uint64_t version() const noexcept { return node_->version; }

   private:
    friend snapshot_cell;
    explicit reader(const std::atomic<node*>& current) : hazard_(current, node_) {}

    node* node_;
    basic_hazard_pointer<Who> hazard_;
  };

  /// Shares a snapshot for as long as wanted, also beyond the cell's end. Copies share it too; one that was moved from
  /// shares nothing, and may only be assigned to or destroyed.
  class handle {
   public:
    handle(const handle& other) noexcept : node_(other.node_) {
      if (node_ != nullptr) node_->add_reference();
    }
    handle(handle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    handle& operator=(const handle& other) noexcept {
      if (this != &other) *this = handle(other);
      return *this;
    }
    handle& operator=(handle&& other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~handle() {
      if (node_ != nullptr) node_->drop_reference();
    }

    [[nodiscard]] const Content& operator*() const noexcept { return node_->content; }
    [[nodiscard]] const Content* operator->() const noexcept { return &node_->content; }
    [[nodiscard]] std::uint64_t version() const noexcept { return node_->version; }

   private:
    friend snapshot_cell;
    explicit handle(node& held) noexcept : node_(&held) { node_->add_reference(); }
    node* node_;
  };

  /// With a first snapshot, made of what `Content`'s constructor takes.
  template <class... Arguments>
  explicit snapshot_cell(Arguments&&... arguments)
      : current_(new node(std::forward<Arguments>(arguments)...)) {}
  snapshot_cell(const snapshot_cell&) = delete;
  snapshot_cell& operator=(const snapshot_cell&) = delete;

  /// The cell's end: no reader may be left. Handles may.
  ~snapshot_cell() {
    // Relaxed: what ended the readers and writers orders them before this.
    current_.load(std::memory_order_relaxed)->drop_reference();
  }

  [[nodiscard]] reader read() const { return reader(current_); }

  [[nodiscard]] handle hold() const {
    const reader now(current_);  // protects it until the handle counts
    return handle(*now.node_);
  }

  /// A snapshot to fill and publish, made of what `Content`'s constructor takes.
  template <class... Arguments> [[nodiscard]] draft make(Arguments&&... arguments) const {
    return draft(std::make_unique<node>(std::forward<Arguments>(arguments)...));
  }

  /// Replaces whatever is current. Only for writers that exclude each other. The old snapshot waits for reclaim(),
  /// which the writer should call once he has released his lock and his reader.
  void publish(draft next) noexcept {
    // Relaxed: the writers' lock orders them. It is its own reference that keeps the current snapshot.
    next.node_->version = current_.load(std::memory_order_relaxed)->version + 1;
    retired_.defer(*current_.exchange(next.node_.release(), std::memory_order_seq_cst));
  }

  /// Replaces the snapshot that `seen` reads if it is still the current one; otherwise false, and `next` is as it was.
  /// `seen` keeps its snapshot from being freed, so that no other one can have its address meanwhile (ABA); and so the
  /// old snapshot waits for a reclaim() after the reader's end.
  bool compare_publish(const reader& seen, draft& next) noexcept {
    node* expected = seen.node_;
    next.node_->version = expected->version + 1;
    // Relaxed when it fails: what is then in current_ is not looked at.
    if (!current_.compare_exchange_strong(expected, next.node_.get(), std::memory_order_seq_cst,
                                          std::memory_order_relaxed))
      return false;
    static_cast<void>(next.node_.release());
    retired_.defer(*expected);
    return true;
  }

  /// Drops the cell's share of the old snapshots that no reader looks at. Returns of how many.
  std::size_t reclaim() noexcept { return retired_.reclaim(); }

  /// How many old snapshots wait for reclaim(). Those that only handles hold are not among them.
  [[nodiscard]] std::size_t waiting() const noexcept { return retired_.waiting(); }

 private:
  struct node final : hazard_object {
    template <class... Arguments>
    explicit node(Arguments&&... arguments) : content(std::forward<Arguments>(arguments)...) {}

    // Relaxed: whoever adds one has one, or a hazard pointer, so that the count is not 0 and nothing is read by it.
    void add_reference() noexcept { references.fetch_add(1, std::memory_order_relaxed); }

    // Release: what this holder read happens before the destruction; acquire: the destruction comes after all of them.
    void drop_reference() noexcept {
      if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    Content content;
    std::uint64_t version = 1;
    std::atomic<std::size_t> references{1};

   protected:
    void reclaim() noexcept override { drop_reference(); }
  };

  std::atomic<node*> current_;
  basic_retire_list<Who> retired_;
};

}  // namespace racelab
