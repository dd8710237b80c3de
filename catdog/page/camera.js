// Why a camera cannot be had, as a code of its words. The photo tab's camera is Gradio's, which says nothing then:
// `catdog-picture` tells what came of each attempt, null while the visitor is asked.
catdog.camera = (() => {
  const PROBLEMS = { NotAllowedError: "refused", NotFoundError: "no-camera", OverconstrainedError: "no-camera" };
  const problem = (error) => PROBLEMS[error.name] || "busy";
  const tell = (detail) => document.dispatchEvent(new CustomEvent("catdog-picture", { detail: detail && `camera.${detail}` }));

  const devices = navigator.mediaDevices;
  if (!devices) {
    document.addEventListener("click", ({ target }) => {
      if (target.closest?.("#picture [data-word-title='gradio.camera']")) tell("insecure");
    });
    return { problem };
  }
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    tell(null);
    try {
      return await open(wanted);
    } catch (error) {
      tell(problem(error));
      throw error;
    }
  };
  return { problem };
})();
