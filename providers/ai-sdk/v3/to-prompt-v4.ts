import type {
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
  SharedV4FileData,
} from '@ai-sdk/provider';
import type {
  LanguageModelV3DataContent,
  LanguageModelV3Prompt,
  LanguageModelV3ToolResultOutput,
  LanguageModelV3ToolResultPart,
} from '@ai-sdk/provider-v3';

/** The two differ in how files are given, nowhere else. */
export function toPromptV4(prompt: LanguageModelV3Prompt): LanguageModelV4Prompt {
  return prompt.map((message) => {
    switch (message.role) {
      case 'system':
        return message;
      case 'user':
        return {
          ...message,
          content: message.content.map((part) =>
            part.type === 'file' ? { ...part, data: toFileData(part.data) } : part,
          ),
        };
      case 'assistant':
        return {
          ...message,
          content: message.content.map((part) => {
            if (part.type === 'file') return { ...part, data: toFileData(part.data) };
            return part.type === 'tool-result' ? toToolResult(part) : part;
          }),
        };
      case 'tool':
        return {
          ...message,
          content: message.content.map((part) => (part.type === 'tool-result' ? toToolResult(part) : part)),
        };
    }
  });
}

function toToolResult(part: LanguageModelV3ToolResultPart): LanguageModelV4ToolResultPart {
  return { ...part, output: toOutput(part.output) };
}

type ContentPartV3 = (LanguageModelV3ToolResultOutput & { type: 'content' })['value'][number];
type ContentPartV4 = (LanguageModelV4ToolResultOutput & { type: 'content' })['value'][number];

function toOutput(output: LanguageModelV3ToolResultOutput): LanguageModelV4ToolResultOutput {
  return output.type === 'content' ? { ...output, value: output.value.map(toContentPart) } : output;
}

function toContentPart(part: ContentPartV3): ContentPartV4 {
  switch (part.type) {
    case 'text':
    case 'custom':
      return part;
    case 'file-data':
    case 'image-data':
      return { type: 'file', mediaType: part.mediaType, data: { type: 'data', data: part.data } };
    case 'file-url':
      return { type: 'file', mediaType: '*/*', data: { type: 'url', url: new URL(part.url) } };
    case 'image-url':
      return { type: 'file', mediaType: 'image/*', data: { type: 'url', url: new URL(part.url) } };
    case 'file-id':
    case 'image-file-id': {
      const { fileId } = part;
      const reference = typeof fileId === 'string' ? { local: fileId } : fileId;
      const mediaType = part.type === 'file-id' ? '*/*' : 'image/*';
      return { type: 'file', mediaType, data: { type: 'reference', reference } };
    }
  }
}

function toFileData(data: LanguageModelV3DataContent): SharedV4FileData & { type: 'data' | 'url' } {
  return data instanceof URL ? { type: 'url', url: data } : { type: 'data', data };
}
