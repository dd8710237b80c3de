// What becomes of chosen, dropped and pasted files before Gradio sees them.
// Browsers without HEIC in their list of file types give such a file none, and Gradio then refuses it as no image: its type
// is named by its extension, and where that says nothing the server looks. Among many files, one that is too large would
// stop all: a note takes its place, as many.py knows. Of a dropped photo Gradio takes the files too late where it has one
// already, of a dropped folder it makes a file that cannot be sent: both are handed on as files that were there all along.
(() => {
  const TOO_LARGE = "catdog: this file is too large to be sent";
  const TYPES = { heic: "image/heic", heif: "image/heif", hif: "image/heif", avif: "image/avif", tif: "image/tiff", tiff: "image/tiff" };

  const UNKNOWN = "image/unknown";

  const tooLarge = (file) => file.size > window.gradio_config.max_file_size;

  const typeOf = (file) => file.type || TYPES[file.name.split(".").pop().toLowerCase()] || UNKNOWN;

  const prepared = (files, many) => {
    const transfer = new DataTransfer();
    for (const file of files) {
      const content = many && tooLarge(file) ? TOO_LARGE : file;
      transfer.items.add(new File([content], file.name, { type: typeOf(file), lastModified: file.lastModified }));
    }
    return transfer;
  };

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("input[type=file]")) return;
    const many = target.multiple || target.webkitdirectory;
    if (![...target.files].some((file) => !file.type || (many && tooLarge(file)))) return; // they can go as they are
    target.files = prepared(target.files, many).files;
  }, true);

  // A dropped folder's pictures, and those in its folders.
  const picturesIn = async (folder) => {
    const reader = folder.createReader(), found = [];
    for (;;) { // it tells of a hundred at a time
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) return found;
      for (const entry of entries) {
        if (entry.isDirectory) found.push(...(await picturesIn(entry)));
        else found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      }
    }
  };
  const isPicture = (file) => !file.name.startsWith(".") && typeOf(file).startsWith("image/") && typeOf(file) !== UNKNOWN;

  const dropAgain = (target, files, many) =>
    target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: prepared(files, many) }));

  document.addEventListener("drop", (event) => {
    const { target, dataTransfer } = event;
    if (!event.isTrusted || !dataTransfer?.files.length || !target.closest?.("#picture, #many-files")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const many = target.closest("#many-files");
    const files = [...dataTransfer.files]; // the browser empties its own list once this has run
    const folders = [...dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
    if (!many || !folders.length) return dropAgain(target, files, many);
    const names = new Set(folders.map((folder) => folder.name));
    Promise.all(folders.map(picturesIn)).then((found) => {
      dropAgain(target, [...files.filter((file) => !names.has(file.name)), ...found.flat().filter(isPicture)], many);
    });
  }, true);

  // A picture from the clipboard, by the keyboard. Gradio's own button says nothing where there is none.
  const tell = (detail) => document.dispatchEvent(new CustomEvent("catdog-picture", { detail }));

  document.addEventListener("paste", ({ target, clipboardData }) => {
    const picture = document.querySelector("#picture");
    if (!picture?.offsetParent || target.closest?.("input, textarea, [contenteditable]")) return;
    const files = [...clipboardData.files].filter((file) => file.type.startsWith("image/")).slice(0, 1);
    if (!files.length) return tell("paste.nothing");
    const input = picture.querySelector("input[type=file]");
    if (!input) return dropAgain(picture.querySelector("img") || picture, files, false);
    input.files = prepared(files, false).files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const clipboard = navigator.clipboard;
  if (clipboard?.read) {
    const read = clipboard.read.bind(clipboard);
    clipboard.read = async () => {
      let items = [];
      try {
        items = await read();
      } catch (error) {
        tell(error.name === "NotAllowedError" ? "paste.refused" : "paste.nothing");
        return []; // which Gradio leaves alone
      }
      tell(items.some((item) => item.types.some((type) => type.startsWith("image/"))) ? null : "paste.nothing");
      return items;
    };
  }
})();
