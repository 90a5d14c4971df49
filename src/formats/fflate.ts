// What of fflate is loaded when it is needed, by name: of a library that is imported as a whole, bundlers leave nothing out.
export { Inflate } from "fflate";
