#include "base/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace theriac {
namespace {

class FilesTest : public testing::Test {
 protected:
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  static unsigned rights(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 0777U;
  }
  static std::string make_folder() {
    std::string name = "/tmp/theriac-files-XXXXXX";
    THERIAC_ASSERT(::mkdtemp(name.data()) != nullptr);
    return name;
  }

  std::string folder_ = make_folder();
};

TEST_F(FilesTest, ReplaceIsWholeAndPrivate) {
  const auto path = folder_ + "/file";
  EXPECT_EQ(read_small_file(path).error().code, Code::kNotFound);
  ASSERT_TRUE(replace_file(path, view_of("one")));
  ASSERT_TRUE(replace_file(path, view_of("two")));
  EXPECT_EQ(*read_small_file(path), bytes_of("two"));
  EXPECT_EQ(rights(path), 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".unfinished"));
}

TEST_F(FilesTest, WhatACrashLeftBehindIsNoObstacle) {
  const auto path = folder_ + "/file";
  ASSERT_TRUE(replace_file(path + ".unfinished", view_of("torn")));
  ASSERT_TRUE(replace_file(path, view_of("whole")));
  EXPECT_EQ(*read_small_file(path), bytes_of("whole"));
}

TEST_F(FilesTest, LimitIsTheLimit) {
  const auto path = folder_ + "/file";
  ASSERT_TRUE(replace_file(path, Bytes(kSmallFileBytesMax)));
  EXPECT_TRUE(read_small_file(path));
  ASSERT_TRUE(replace_file(path, Bytes(kSmallFileBytesMax + 1)));
  EXPECT_EQ(read_small_file(path).error().code, Code::kTooLarge);
}

TEST_F(FilesTest, NoFolderIsAnError) {
  EXPECT_EQ(replace_file(folder_ + "/missing/file", view_of("x")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, OneHolderALock) {
  const auto path = folder_ + "/lock";
  {
    const auto held = lock_file(path);
    ASSERT_TRUE(held);
    EXPECT_EQ(lock_file(path).error().code, Code::kBusy);
  }
  EXPECT_TRUE(lock_file(path));
  EXPECT_EQ(lock_file(folder_ + "/none/lock").error().code, Code::kNotFound);
}

TEST_F(FilesTest, DescriptorsCloseOnce) {
  int number = -1;
  {
    Descriptor first(::dup(STDERR_FILENO));
    number = first.get();
    Descriptor second(std::move(first));
    EXPECT_EQ(second.get(), number);
    second = Descriptor(-1);
    EXPECT_FALSE(second.good());
  }
  EXPECT_EQ(::close(number), -1) << "it was closed already";
}

}  // namespace
}  // namespace theriac
