/** The module of source/, made by `npm run build:hot`. */

/** SHA-256 of the files there, in the order of their names. */
export const FORK_SOURCE = '483d344ea42fe0c3f08b85f711e9ee95fdd4270e512ec5094f323d3a5bf320dc';
export const FORK_MODULE =
  'AGFzbQEAAAABEAFgC39/f39/f39/f39/AX8CDwEDZW52Bm1lbW9yeQIAAAMCAQAHFAIHY29weVJ1bgAABm1lbW9yeQIACqQBAaEBAgN+AX8gCa' +
  '1Cf4UhDCAJIApyrUJ/hSENIAEgAGshCSAAIAJqIQogACEBA0AgASAKSQRAAkAgASkDACILIAatiKchAiALpyAHcSAIRyACIARPcg0AIAMgAkEC' +
  'dGoiAigCACAFQX9zcSIOQQBIDQAgAiAOQQFqNgIAIAEgCWogCyANgzcDACABIAsgDIM3AwAgAUEIaiEBDAILCwsgASAAaws=';
